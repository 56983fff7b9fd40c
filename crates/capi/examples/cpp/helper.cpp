// Sees a screen by farpane.hpp, without a window: helper INVITATION_FILE
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Connects, waits for the first frame, prints its size and how long it took, and leaves.

#include <chrono>
#include <farpane.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace {

// Waits for a frame; an empty one when the session ended before, with the reason on stderr.
farpane::Frame first_frame(farpane::Session &session) {
  using namespace std::chrono_literals;
  farpane::Event event;
  farpane::Frame frame;
  for (;;) {
    while (session.next_event(event, 0ms) == FARPANE_OK) {
      if (event.kind() == FARPANE_EVENT_CONSENT_PENDING)
        std::cerr << "helper: the sharer is asked\n";
      if (event.kind() == FARPANE_EVENT_ENDED) {
        std::cerr << "helper: " << event.text() << '\n';
        return frame;
      }
    }
    if (session.next_frame(frame, 0ms) == FARPANE_OK) return frame;
    session.wait();
  }
}

int see(const char *path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "helper: cannot read " << path << '\n';
    return 1;
  }
  const std::string invitation(std::istreambuf_iterator<char>(file), {});
  auto session = farpane::Session::helper({invitation});
  const auto began = std::chrono::steady_clock::now();
  session.connect();
  const farpane::Frame frame = first_frame(session);
  if (!frame) return 1;
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  const auto info = frame.info();
  const auto *pixel = frame.pixels().row(0);
  std::cout << info.width << 'x' << info.height << ", first frame after " << took.count()
            << " ms, first pixel " << int{pixel[2]} << ' ' << int{pixel[1]} << ' '
            << int{pixel[0]} << '\n';
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: helper INVITATION_FILE\n";
    return 1;
  }
  try {
    return see(argv[1]);
  } catch (const std::exception &error) {
    std::cerr << "helper: " << error.what() << '\n';
    return 1;
  }
}
