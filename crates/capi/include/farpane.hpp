// Farpane for C++17: farpane.h with owners and exceptions. Header only.
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// farpane.h is the contract; this adds two things. A negative result is thrown as farpane::Error.
// A Session and a Frame release what they own. Everything else is as there: threads, events,
// consent, and the texts, which are copied before a call returns.

#ifndef FARPANE_HPP
#define FARPANE_HPP

#include "farpane.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace farpane {

// What a function failed with: one of FARPANE_ERR_*, and a text for people.
class Error : public std::runtime_error {
 public:
  Error(farpane_result code, const std::string &text) : std::runtime_error(text), code_(code) {}

  farpane_result code() const noexcept { return code_; }

 private:
  farpane_result code_;
};

// A structure of farpane.h with its size, and its defaults for the rest.
template <typename Struct>
Struct make() noexcept {
  Struct value{};
  value.struct_size = static_cast<std::uint32_t>(sizeof(Struct));
  return value;
}

// Throws a negative result; returns any other.
inline farpane_result check(farpane_result result) {
  if (result >= 0) return result;
  std::string text = farpane_result_str(result);
  std::size_t len = 0;
  farpane_last_error(nullptr, 0, &len);
  std::string more(len + 1, '\0');
  if (len > 0 && farpane_last_error(&more[0], more.size(), &len) == FARPANE_OK) {
    more.resize(len);
    text += ": " + more;
  }
  throw Error(result, text);
}

using Milliseconds = std::chrono::milliseconds;

// A timeout that never ends.
constexpr Milliseconds forever = Milliseconds::max();

// What happened. The texts are views into the event.
class Event {
 public:
  // FARPANE_EVENT_*; 0 before an event was taken.
  std::uint32_t kind() const noexcept { return raw_.kind; }
  std::uint64_t id() const noexcept { return raw_.id; }
  std::uint32_t scopes() const noexcept { return raw_.scopes; }
  // FARPANE_END_*.
  std::uint32_t reason() const noexcept { return raw_.reason; }
  // Whether connecting again may help.
  bool lost() const noexcept { return raw_.lost != 0; }
  std::uint32_t missed() const noexcept { return raw_.missed; }
  // Whether the tenant says the name, and not only whoever bears it.
  bool verified() const noexcept { return raw_.verified != 0; }
  // Which file, and whether this side offered it.
  std::uint32_t file() const noexcept { return raw_.file; }
  bool outgoing() const noexcept { return raw_.outgoing != 0; }
  // Whether a prompt is open.
  bool open() const noexcept { return raw_.open != 0; }
  std::string_view name() const & noexcept { return raw_.name; }
  std::string_view key() const & noexcept { return raw_.key; }
  std::string_view text() const & noexcept { return raw_.text; }
  std::string_view name() const && = delete;
  std::string_view key() const && = delete;
  std::string_view text() const && = delete;

  farpane_event *raw() noexcept { return &raw_; }
  const farpane_event *raw() const noexcept { return &raw_; }

 private:
  farpane_event raw_ = make<farpane_event>();
};

// Pixels of a frame: they live as long as one of the frame's copies.
struct Pixels {
  const std::uint8_t *data = nullptr;
  std::size_t size = 0;
  std::size_t stride = 0;

  // The first pixel of a row: four bytes each, blue, green, red, ignored.
  const std::uint8_t *row(std::uint32_t y) const noexcept { return data + y * stride; }
};

// A picture that was received. A copy is another reference to the same pixels.
class Frame {
 public:
  Frame() noexcept = default;
  // Takes over a reference.
  explicit Frame(farpane_frame *raw) noexcept : raw_(raw) {}
  Frame(const Frame &other) : raw_(other.raw_) {
    if (raw_ != nullptr) check(farpane_frame_ref(raw_));
  }
  Frame(Frame &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Frame &operator=(Frame other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~Frame() {
    if (raw_ != nullptr) farpane_frame_unref(raw_);
  }

  // Whether there is a frame.
  explicit operator bool() const noexcept { return raw_ != nullptr; }

  farpane_frame_info info() const {
    auto info = make<farpane_frame_info>();
    check(farpane_frame_get_info(raw_, &info));
    return info;
  }

  Pixels pixels() const {
    auto plane = make<farpane_plane>();
    check(farpane_frame_get_plane(raw_, 0, &plane));
    return {plane.pixels, plane.pixels_len, plane.stride};
  }

  // Where it differs from the frame taken before.
  std::vector<farpane_rect> damage() const {
    std::vector<farpane_rect> rects(info().damage_count);
    std::size_t count = 0;
    check(farpane_frame_get_damage(raw_, rects.data(), rects.size(), &count));
    return rects;
  }

  farpane_frame *raw() const noexcept { return raw_; }

 private:
  farpane_frame *raw_ = nullptr;
};

// A pointer and its picture: width * height pixels of blue, green, red, alpha, premultiplied.
struct Cursor {
  farpane_cursor info = make<farpane_cursor>();
  std::vector<std::uint8_t> bgra;
};

// Owns a handle, and releases it.
template <typename Raw, farpane_result (*release)(Raw *)>
class Owned {
 public:
  Owned(Owned &&other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Owned &operator=(Owned &&other) noexcept {
    Owned taken(std::move(other));
    std::swap(raw_, taken.raw_);
    return *this;
  }
  Owned(const Owned &) = delete;
  Owned &operator=(const Owned &) = delete;
  ~Owned() {
    if (raw_ != nullptr) release(raw_);
  }

  Raw *raw() const noexcept { return raw_; }

 protected:
  Owned() noexcept = default;

  Raw *raw_ = nullptr;
};

// A place in a tenant; sessions that were made with it keep it.
class Membership : public Owned<farpane_membership, farpane_membership_unref> {
 public:
  // The documents of `config` are copied.
  explicit Membership(const farpane_membership_config &config) {
    check(farpane_membership_create(&config, &raw_));
  }

  void set_revocations(const std::uint8_t *list, std::size_t size) {
    check(farpane_membership_set_revocations(raw_, list, size));
  }
};

// An audit log; sessions that were made with it keep it open.
class Audit : public Owned<farpane_audit, farpane_audit_unref> {
 public:
  explicit Audit(std::string_view folder) {
    check(farpane_audit_open(folder.data(), folder.size(), &raw_));
  }
};

// How a sharer is made; what stays empty has the default of farpane_session_config.
struct SharerOptions {
  std::string_view name = {};
  std::string_view source = {};
  std::string_view monitor = {};
  std::string_view listen = {};
  std::string_view probe = {};
  std::string_view remembered = {};
  std::string_view relays = {};
  std::uint32_t scopes = 0;
  std::uint32_t flags = 0;
  std::string_view input = {};
  const Membership *membership = nullptr;
  const Audit *audit = nullptr;
};

// How a helper is made; `invitation` is required.
struct HelperOptions {
  std::string_view invitation = {};
  std::string_view name = {};
  std::string_view code = {};
  std::uint32_t scopes = 0;
  const Membership *membership = nullptr;
  const Audit *audit = nullptr;
};

// A session; the destructor ends it and waits for its threads.
class Session : public Owned<farpane_session, farpane_session_unref> {
 public:
  static Session sharer(const SharerOptions &options = {}) {
    auto config = make<farpane_session_config>();
    config.role = FARPANE_ROLE_SHARER;
    set(options.name, config.name, config.name_len);
    set(options.source, config.source, config.source_len);
    set(options.monitor, config.monitor, config.monitor_len);
    set(options.listen, config.listen, config.listen_len);
    set(options.probe, config.probe, config.probe_len);
    set(options.remembered, config.remembered, config.remembered_len);
    set(options.relays, config.relays, config.relays_len);
    config.flags = options.flags;
    set(options.input, config.input, config.input_len);
    set_common(options, config);
    return Session(config);
  }

  static Session helper(const HelperOptions &options) {
    auto config = make<farpane_session_config>();
    config.role = FARPANE_ROLE_HELPER;
    set(options.invitation, config.invitation, config.invitation_len);
    set(options.code, config.code, config.code_len);
    set(options.name, config.name, config.name_len);
    set_common(options, config);
    return Session(config);
  }

  void connect() { check(farpane_session_connect(raw_)); }
  void close() { check(farpane_session_close(raw_)); }

  // FARPANE_OK when an event or a frame may be there, FARPANE_AGAIN when none came in time,
  // FARPANE_ENDED when the session is over. Takes nothing.
  farpane_result wait(Milliseconds timeout = forever) {
    return check(farpane_session_wait(raw_, milliseconds(timeout)));
  }

  // FARPANE_OK with an event, FARPANE_AGAIN without one in time, FARPANE_ENDED after the last.
  farpane_result next_event(Event &event, Milliseconds timeout = forever) {
    return check(farpane_event_next(raw_, milliseconds(timeout), event.raw()));
  }

  // The whole text of the event that was taken last.
  std::string event_text() {
    return text([this](char *to, std::size_t capacity, std::size_t *len) {
      return farpane_event_text(raw_, to, capacity, len);
    }, FARPANE_EVENT_TEXT_CAPACITY);
  }

  // Helper: the same for frames. `frame` is empty unless the result is FARPANE_OK.
  farpane_result next_frame(Frame &frame, Milliseconds timeout = forever) {
    farpane_frame *raw = nullptr;
    frame = Frame();
    farpane_result result = check(farpane_frame_next(raw_, milliseconds(timeout), &raw));
    frame = Frame(raw);
    return result;
  }

  // For poll(2); owned by the session.
  int event_fd() {
    std::int32_t fd = -1;
    check(farpane_session_event_fd(raw_, &fd));
    return fd;
  }

  void set_wakeup(farpane_wakeup_fn call, void *user) {
    check(farpane_session_set_wakeup(raw_, call, user));
  }

  farpane_stats stats() {
    auto stats = make<farpane_stats>();
    check(farpane_stats_get(raw_, &stats));
    return stats;
  }

  // Sharer: where it listens.
  std::string address() {
    return text([this](char *to, std::size_t capacity, std::size_t *len) {
      return farpane_session_address(raw_, to, capacity, len);
    });
  }

  // Sharer: an invitation for one helper, who finds this sharer at `addresses`.
  std::string invite(std::string_view addresses, Milliseconds valid) {
    return text([&](char *to, std::size_t capacity, std::size_t *len) {
      return farpane_invitation_create(raw_, addresses.data(), addresses.size(), count(valid), to,
                                       capacity, len);
    });
  }

  // Sharer: an invitation that may travel openly, and the code that is told to the helper.
  std::pair<std::string, std::string> invite_with_code(std::string_view addresses,
                                                       Milliseconds valid) {
    char code[FARPANE_CODE_CAPACITY] = {};
    auto invitation = text([&](char *to, std::size_t capacity, std::size_t *len) {
      return farpane_invitation_create_with_code(raw_, addresses.data(), addresses.size(),
                                                 count(valid), to, capacity, len, code);
    });
    return {std::move(invitation), code};
  }

  // Sharer: allows a request; a time of 0 is the longest there is.
  void grant(std::uint64_t id, std::uint32_t scopes, Milliseconds ttl = Milliseconds(0)) {
    check(farpane_consent_grant(raw_, id, scopes, count(ttl)));
  }
  void deny(std::uint64_t id) { check(farpane_consent_deny(raw_, id)); }
  void lower(std::uint64_t id, std::uint32_t scopes) {
    check(farpane_consent_lower(raw_, id, scopes));
  }
  void revoke(std::uint64_t id) { check(farpane_consent_revoke(raw_, id)); }
  void consent_in_advance(std::string_view invitation, Milliseconds ttl) {
    check(farpane_consent_in_advance(raw_, invitation.data(), invitation.size(), count(ttl)));
  }
  void acknowledge_indicator() { check(farpane_indicator_ack(raw_)); }
  void start_capture() { check(farpane_capture_start(raw_)); }

  // Sharer without a source.
  void push(const farpane_picture &picture) { check(farpane_frame_push(raw_, &picture)); }
  void push(const Cursor &cursor) {
    const std::uint8_t *bgra = cursor.bgra.empty() ? nullptr : cursor.bgra.data();
    check(farpane_cursor_push(raw_, &cursor.info, bgra, cursor.bgra.size()));
  }

  // Helper: whether anything is known of the sharer's pointer.
  bool cursor(Cursor &cursor) {
    cursor.bgra.resize(256 * 256 * 4);
    farpane_result result =
        check(farpane_cursor_get(raw_, &cursor.info, cursor.bgra.data(), cursor.bgra.size()));
    bool known = result == FARPANE_OK;
    cursor.bgra.resize(known ? std::size_t{4} * cursor.info.width * cursor.info.height : 0);
    return known;
  }

  void request(std::uint32_t scopes) { check(farpane_consent_request(raw_, scopes)); }
  void send(const farpane_input &input) { check(farpane_input_send(raw_, &input)); }

  // To the helper `id`, or to the sharer with 0.
  void chat(std::uint64_t id, std::string_view text) {
    check(farpane_chat_send(raw_, id, text.data(), text.size()));
  }
  void send_clipboard(std::uint64_t id, std::string_view text) {
    check(farpane_clipboard_send(raw_, id, text.data(), text.size()));
  }
  // The number by which events name the file.
  std::uint32_t offer_file(std::uint64_t id, std::string_view path) {
    std::uint32_t file = 0;
    check(farpane_file_offer(raw_, id, path.data(), path.size(), &file));
    return file;
  }
  void accept_file(std::uint64_t id, std::uint32_t file, std::string_view folder) {
    check(farpane_file_accept(raw_, id, file, folder.data(), folder.size()));
  }
  void stop_file(std::uint64_t id, std::uint32_t file, bool outgoing) {
    check(farpane_file_stop(raw_, id, file, outgoing ? 1 : 0));
  }
  void hold(std::uint64_t id, bool held) { check(farpane_session_hold(raw_, id, held ? 1 : 0)); }
  void acknowledge_compliance(std::uint64_t id) { check(farpane_compliance_ack(raw_, id)); }

  // Sharer: a prompt has opened or closed on this machine.
  void set_prompt(bool open) { check(farpane_prompt_set(raw_, open ? 1 : 0)); }
  void renew_lease(std::uint64_t id, std::uint64_t renewal, std::uint32_t scopes) {
    check(farpane_lease_renew(raw_, id, renewal, scopes));
  }
  void revoke_grant(std::uint64_t id) { check(farpane_grant_revoke(raw_, id)); }
  void set_revocations(const std::uint8_t *list, std::size_t size) {
    check(farpane_session_set_revocations(raw_, list, size));
  }
  // Both have FARPANE_CREDENTIAL_CAPACITY bytes; overwrite them when they were used.
  void take_credentials(std::uint64_t id, char *name, char *password) {
    check(farpane_credentials_take(raw_, id, name, FARPANE_CREDENTIAL_CAPACITY, password,
                                   FARPANE_CREDENTIAL_CAPACITY));
  }

  // Helper: answers a prompt.
  void send_credentials(std::string_view name, std::string_view password) {
    check(farpane_credentials_send(raw_, name.data(), name.size(), password.data(),
                                   password.size()));
  }

 private:
  explicit Session(const farpane_session_config &config) {
    if (farpane_abi_version() >> 16 != FARPANE_ABI_VERSION >> 16)
      throw Error(FARPANE_ERR_UNSUPPORTED, "libfarpane has another version than farpane.h");
    check(farpane_session_create(&config, &raw_));
  }

  static void set(std::string_view text, const char *&at, std::size_t &len) noexcept {
    if (!text.empty()) at = text.data();
    len = text.size();
  }

  template <typename Options>
  static void set_common(const Options &options, farpane_session_config &config) noexcept {
    config.scopes = options.scopes;
    if (options.membership != nullptr) config.membership = options.membership->raw();
    if (options.audit != nullptr) config.audit = options.audit->raw();
  }

  static std::uint64_t count(Milliseconds time) noexcept {
    return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
  }

  static std::uint32_t milliseconds(Milliseconds timeout) noexcept {
    const std::uint64_t time = count(timeout);
    if (timeout == forever) return FARPANE_FOREVER;
    return time < FARPANE_FOREVER ? static_cast<std::uint32_t>(time) : FARPANE_FOREVER - 1;
  }

  template <typename Call>
  static std::string text(Call call, std::size_t capacity = FARPANE_INVITATION_CAPACITY) {
    std::string to(capacity, '\0');  // Enough for whatever there is, as farpane.h says.
    std::size_t len = 0;
    check(call(&to[0], to.size(), &len));
    to.resize(len);
    return to;
  }
};

}  // namespace farpane

#endif  // FARPANE_HPP
