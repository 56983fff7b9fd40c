// Shares a screen by farpane.h: sharer INVITATION_FILE [--source SPEC] [--seconds N] [--yes]
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// SPEC is what farpane_session_config takes ("x11", "x11:DISPLAY", "replay:FILE", "pattern:NAME"),
// by default "x11", or "push": then this program draws a moving pattern and pushes it. --yes
// answers every request with yes; it is for tests. Without it the terminal asks.

#include <farpane.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 640, HEIGHT = 400, SIDE = 48, MAX_GUESTS = 64 };

// A helper that asks to see the screen, or sees it. The number 0 is a free place.
typedef struct {
  uint64_t id;
  int sees;
  char name[FARPANE_NAME_CAPACITY];
} guest;

static guest guests[MAX_GUESTS];
static int seen;        // How many of them see the screen.
static uint64_t asked;  // The one that the terminal asks about.
static volatile sig_atomic_t stopped;

static void on_signal(int number) {
  (void)number;
  stopped = 1;
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Whether nothing failed; otherwise says what.
static int ok(const char *what, farpane_result result) {
  char text[1024] = "";
  size_t len = 0;
  if (result >= 0) return 1;
  farpane_last_error(text, sizeof text, &len);
  fprintf(stderr, "sharer: %s: %s: %s\n", what, farpane_result_str(result), text);
  return 0;
}

// Writes the invitation where nobody else can read it, and whole or not at all.
static int write_invitation(const char *path, const char *text, size_t len) {
  char temporary[4096];
  if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary) return 0;
  unlink(temporary);
  int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
  int written = file >= 0 && write(file, text, len) == (ssize_t)len;
  if (file >= 0 && close(file) != 0) written = 0;
  if (written && rename(temporary, path) == 0) return 1;
  perror(path);
  unlink(temporary);
  return 0;
}

static int invite(farpane_session *session, const char *path) {
  enum { VALID_MS = 10 * 60 * 1000 };
  char address[128], text[FARPANE_INVITATION_CAPACITY];
  size_t len = 0;
  return ok("address", farpane_session_address(session, address, sizeof address, &len)) &&
         ok("invitation", farpane_invitation_create(session, address, len, VALID_MS, text,
                                                    sizeof text, &len)) &&
         write_invitation(path, text, len);
}

// Draws step `step` of a square on its way over a grey background, and pushes what changed.
static int push_pattern(farpane_session *session, uint32_t step) {
  static uint8_t pixels[WIDTH * HEIGHT * 4];
  static farpane_rect before = {0, 0, WIDTH, HEIGHT};
  farpane_rect square = {step * 4 % (WIDTH - SIDE), step * 3 % (HEIGHT - SIDE), SIDE, SIDE};
  farpane_rect damage[2] = {before, square};
  for (int i = 0; i < 2; i++)
    for (uint32_t y = damage[i].y; y < damage[i].y + damage[i].height; y++)
      memset(&pixels[(y * WIDTH + damage[i].x) * 4], i ? 240 : 64, damage[i].width * 4);
  before = square;
  farpane_picture picture = {.struct_size = sizeof picture, .format = FARPANE_FORMAT_BGRX,
                             .width = WIDTH, .height = HEIGHT, .stride = WIDTH * 4,
                             .pixels = pixels, .pixels_len = sizeof pixels,
                             .damage = damage, .damage_count = 2};
  return ok("push", farpane_frame_push(session, &picture));
}

static guest *find(uint64_t id) {
  for (int i = 0; i < MAX_GUESTS; i++)
    if (guests[i].id == id) return &guests[i];
  return NULL;
}

static int answer(farpane_session *session, uint64_t id, int yes) {
  if (id == asked) asked = 0;
  farpane_result result = yes ? farpane_consent_grant(session, id, FARPANE_SCOPE_VIEW, 0)
                              : farpane_consent_deny(session, id);
  // The helper may have left while the person thought.
  return result == FARPANE_ERR_NOT_FOUND || ok("answer", result);
}

// Does what an event asks for.
static int handle(farpane_session *session, const farpane_event *event, int yes) {
  guest *one = event->id ? find(event->id) : NULL;
  if (event->id && !one && (one = find(0))) {
    one->id = event->id;
    memcpy(one->name, event->name, sizeof one->name);
  }
  if (event->kind == FARPANE_EVENT_CONSENT_REQUESTED) {
    // One question at a time: who comes meanwhile is told no, and may ask again.
    if (yes || asked || !one) return answer(session, event->id, yes && one);
    asked = event->id;
    printf("%s, with the key %s, asks to see this screen.\nAllow? [y/N] ", event->name, event->key);
  } else if (event->kind == FARPANE_EVENT_SHOW_INDICATOR && one) {
    seen += !one->sees;
    one->sees = 1;
    printf("%s SEES THIS SCREEN\n", event->name);
    fflush(stdout);
    return ok("indicator", farpane_indicator_ack(session)) &&
           ok("capture", farpane_capture_start(session));
  } else if (event->kind == FARPANE_EVENT_HELPER_LEFT && one) {
    printf("%s left: %s\n", one->name, event->text);
    if (asked == one->id) asked = 0;
    seen -= one->sees;
    *one = (guest){0};
  } else if (*event->text) {
    fprintf(stderr, "sharer: %s\n", event->text);
  }
  fflush(stdout);
  return event->kind != FARPANE_EVENT_FAILED;
}

// Shares until a signal or the end of the time; 0 for a failure.
static int share(farpane_session *session, int push, int yes, uint64_t ends_ms) {
  struct pollfd fds[2] = {{.events = POLLIN}, {.fd = yes ? -1 : 0, .events = POLLIN}};
  if (!ok("descriptor", farpane_session_event_fd(session, &fds[0].fd))) return 0;
  uint64_t ack_ms = 0, now = now_ms();
  for (uint32_t step = 0; !stopped && now < ends_ms; now = now_ms()) {
    farpane_event event = {.struct_size = sizeof event};
    farpane_result result;
    while ((result = farpane_event_next(session, 0, &event)) == FARPANE_OK)
      if (!handle(session, &event, yes)) return 0;
    if (result != FARPANE_AGAIN) return ok("event", result) && 0;  // Nobody here ended it.
    uint64_t wait_ms = 1000;
    if (seen) {  // What is on the terminal is the indicator: say so every second.
      if (push && !push_pattern(session, step++)) return 0;
      if (now >= ack_ms && !ok("indicator", farpane_indicator_ack(session))) return 0;
      if (now >= ack_ms) ack_ms = now + 1000;
      wait_ms = push ? 33 : ack_ms - now;
    }
    if (wait_ms > ends_ms - now) wait_ms = ends_ms - now;
    // A signal ends the wait; one that comes just before is seen when the wait is over.
    if (poll(fds, 2, (int)wait_ms) <= 0 || !fds[1].revents) continue;
    char line[64];
    ssize_t bytes = read(0, line, sizeof line);
    if (bytes <= 0) fds[1].fd = -1;  // Nobody is there to ask: silence denies.
    else if (asked && !answer(session, asked, *line == 'y' || *line == 'Y')) return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  const char *source = "x11", *path = NULL, *seconds = NULL;
  int yes = 0, usage = 0;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--yes")) yes = 1;
    else if (!strcmp(argv[i], "--source") && argv[i + 1]) source = argv[++i];
    else if (!strcmp(argv[i], "--seconds") && argv[i + 1]) seconds = argv[++i];
    else if (*argv[i] != '-' && !path) path = argv[i];
    else usage = 1;
  }
  if (usage || !path) return fprintf(stderr, "usage: see the first line of sharer.c\n"), 1;
  sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_signal}, NULL);

  int push = !strcmp(source, "push");
  uint64_t ends_ms = seconds ? now_ms() + strtoul(seconds, NULL, 10) * 1000 : UINT64_MAX;
  farpane_session_config config = {.struct_size = sizeof config, .role = FARPANE_ROLE_SHARER,
                                   .source = push ? NULL : source,
                                   .source_len = push ? 0 : strlen(source),
                                   .listen = "127.0.0.1:0", .listen_len = strlen("127.0.0.1:0")};
  farpane_session *session = NULL;
  if (!ok("create", farpane_session_create(&config, &session))) return 1;
  int done = ok("connect", farpane_session_connect(session)) && invite(session, path) &&
             share(session, push, yes, ends_ms);
  farpane_session_close(session);
  farpane_event event = {.struct_size = sizeof event};
  while (farpane_event_next(session, 2000, &event) == FARPANE_OK)
    if (event.kind == FARPANE_EVENT_HELPER_LEFT) handle(session, &event, 0);
  return !ok("release", farpane_session_unref(session)) || !done;
}
