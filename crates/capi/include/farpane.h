// Farpane: puts a sharer's screen in front of a helper, exactly and at once, over any network, and
// only as far as the sharer allows. Made by `cargo xtask capi --write`; do not edit.
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Results. A function returns FARPANE_OK or another value that is not negative when it did what it
// says, and a negative FARPANE_ERR_* when not; farpane_last_error then tells more. Nothing aborts:
// a bug in the library is FARPANE_ERR_PANIC and ends the one session it was in.
//
// Handles. farpane_session, farpane_frame, farpane_membership and farpane_audit pointers are names
// in a table and are never dereferenced. Each is released once by its _unref; a name that was released, or never given out,
// is FARPANE_ERR_HANDLE.
//
// Ownership. What goes in is copied before the call returns. What comes out is the caller's memory,
// filled; the only exception are a frame's pixels, which live as long as the frame.
//
// Structures. Each begins with its size: start from its _INIT. What stays 0 has its default, so a
// program keeps working with a later library, and an older library refuses what it does not know.
//
// Threads. Every function may be called from any thread at any time. One thread at a time takes a
// session's events, one its frames. Only the log and the wakeup call back, from threads of the
// library, and they must not call the library.
//
// Consent. Nothing is captured before the app has granted a request, shows its indicator, has said
// so by farpane_indicator_ack, and called farpane_capture_start. Without the acknowledgement every
// second sharing ends.


#ifndef FARPANE_H
#define FARPANE_H

#include <stddef.h>
#include <stdint.h>

// The first value of each structure: its size, and zeros.
#ifdef __cplusplus
#define FARPANE_INIT_(type) \
  ([] { type value{}; value.struct_size = static_cast<uint32_t>(sizeof(type)); return value; }())
#else
#define FARPANE_INIT_(type) {.struct_size = (uint32_t)sizeof(type)}
#endif
#define FARPANE_SESSION_CONFIG_INIT FARPANE_INIT_(farpane_session_config)
#define FARPANE_EVENT_INIT FARPANE_INIT_(farpane_event)
#define FARPANE_PICTURE_INIT FARPANE_INIT_(farpane_picture)
#define FARPANE_FRAME_INFO_INIT FARPANE_INIT_(farpane_frame_info)
#define FARPANE_PLANE_INIT FARPANE_INIT_(farpane_plane)
#define FARPANE_CURSOR_INIT FARPANE_INIT_(farpane_cursor)
#define FARPANE_INPUT_INIT FARPANE_INIT_(farpane_input)
#define FARPANE_STATS_INIT FARPANE_INIT_(farpane_stats)
#define FARPANE_MEMBERSHIP_CONFIG_INIT FARPANE_INIT_(farpane_membership_config)


// The version of this interface: the high 16 bits change when programs must be compiled anew.
#define FARPANE_ABI_VERSION 65536

// A timeout that never ends.
#define FARPANE_FOREVER UINT32_MAX

// The session shares a screen.
#define FARPANE_ROLE_SHARER 1

// The session sees one.
#define FARPANE_ROLE_HELPER 2

// The helper sees the screen, shows a pointer of its own, and both write messages.
#define FARPANE_SCOPE_VIEW 1

// The helper also moves the pointer and types. Only with FARPANE_SCOPE_VIEW.
#define FARPANE_SCOPE_CONTROL 2

// The helper also answers prompts for an administrator's password. Only with
// FARPANE_SCOPE_CONTROL, as all that follow but the last.
#define FARPANE_SCOPE_ELEVATED 4

// The helper's clipboard goes to the sharer.
#define FARPANE_SCOPE_CLIPBOARD_IN 8

// The sharer's clipboard goes to the helper.
#define FARPANE_SCOPE_CLIPBOARD_OUT 16

// The helper's files go to the sharer.
#define FARPANE_SCOPE_FILE_IN 32

// The sharer's files go to the helper.
#define FARPANE_SCOPE_FILE_OUT 64

// The helper sees a screen at which nobody is. Only with FARPANE_SCOPE_VIEW alone in a request,
// and only for helpers whose grants say so; a sharer adds it to what it allows at most.
#define FARPANE_SCOPE_UNATTENDED 128

// Blue, green, red, ignored.
#define FARPANE_FORMAT_BGRX 1

// Red, green, blue, ignored.
#define FARPANE_FORMAT_RGBX 2

// Straight.
#define FARPANE_PATH_DIRECT 1

// By a relay, to which this side talks over UDP.
#define FARPANE_PATH_RELAY_UDP 2

// By a relay, to which this side talks over TLS.
#define FARPANE_PATH_RELAY_TLS 3

// Of an invitation's text, the NUL included.
#define FARPANE_INVITATION_CAPACITY 8193

// Of a pairing code, the NUL included.
#define FARPANE_CODE_CAPACITY 10

// Of the bytes of a helper's name in an event, the NUL included.
#define FARPANE_NAME_CAPACITY 260

// Of a key's fingerprint in an event, the NUL included.
#define FARPANE_KEY_CAPACITY 64

// Of a text in an event, the NUL included. Longer texts are cut at a character; the whole one is
// had from farpane_event_text.
#define FARPANE_TEXT_CAPACITY 320

// Of the longest text of an event, the NUL included: a clipboard's.
#define FARPANE_EVENT_TEXT_CAPACITY 262145

// Of the longest message in bytes.
#define FARPANE_MAX_CHAT_BYTES 4096

// Of the longest clipboard in bytes.
#define FARPANE_MAX_CLIPBOARD_BYTES 262144

// Of an administrator's name or password, the NUL included. Both together have at most 512 bytes.
#define FARPANE_CREDENTIAL_CAPACITY 513

// The pointer moved to (x, y).
#define FARPANE_INPUT_MOVE 1

// A mouse button went down or up.
#define FARPANE_INPUT_BUTTON 2

// The wheel turned.
#define FARPANE_INPUT_SCROLL 3

// A key went down or up.
#define FARPANE_INPUT_KEY 4

// Something went wrong that a person should look at.
#define FARPANE_LOG_ERROR 1

// Something unusual.
#define FARPANE_LOG_WARN 2

// What a session does.
#define FARPANE_LOG_INFO 3

// Sharer: the app asks somebody else for the lease of each session: FARPANE_EVENT_LEASE_DUE.
#define FARPANE_SESSION_LEASE_BY_APP 1

// The tenant has switched remote assistance off.
#define FARPANE_TENANT_DISABLED 1

// Helpers and sharers of the tenant do not write to each other.
#define FARPANE_TENANT_CHAT_BLOCKED 2

// Devices may be helped that the tenant does not manage.
#define FARPANE_TENANT_UNENROLLED_ALLOWED 4

// The sharer ended it.
#define FARPANE_END_SHARER_ENDED 1

// The helper ended it.
#define FARPANE_END_HELPER_ENDED 2

// The sharer said no.
#define FARPANE_END_CONSENT_DENIED 3

// The sharer did not answer in time.
#define FARPANE_END_CONSENT_TIMEOUT 4

// It lasted as long as it may.
#define FARPANE_END_EXPIRED 5

// The connection is gone, or never came.
#define FARPANE_END_CONNECTION_LOST 6

// The app stopped calling farpane_indicator_ack.
#define FARPANE_END_INDICATOR_LOST 7

// The helper has not the permissions for what it asks.
#define FARPANE_END_NOT_PERMITTED 8

// Something failed.
#define FARPANE_END_ERROR 9

// The helper did not prove its invitation or code.
#define FARPANE_END_PAIRING_FAILED 10

// The proof is for another connection.
#define FARPANE_END_WRONG_CONNECTION 11

// Helper, sharer and device are not all of one tenant.
#define FARPANE_END_DIFFERENT_TENANT 12

// The tenant has switched remote assistance off.
#define FARPANE_END_TENANT_DISABLED 13

// The software of one end is older than the tenant allows.
#define FARPANE_END_VERSION_TOO_OLD 14

// The tenant does not manage the device.
#define FARPANE_END_NOT_ENROLLED 15

// The helper's scope does not cover the device.
#define FARPANE_END_OUT_OF_SCOPE 16

// It took too long to begin.
#define FARPANE_END_SETUP_TIMEOUT 17

// Its lease was not renewed.
#define FARPANE_END_LEASE_LOST 18

// What was granted was taken back.
#define FARPANE_END_REVOKED 19

// What happens could not be written down.
#define FARPANE_END_AUDIT_FAILED 20

// The session is connected (helper), or takes helpers in (sharer).
#define FARPANE_EVENT_CONNECTED 1

// The session is over: `reason` and `text` say why, `lost` whether connecting again may help.
// The last event, unless a helper connects again.
#define FARPANE_EVENT_ENDED 2

// Sharer: the helper `id`, called `name`, with the key `key`, asks for `scopes`. Answer with
// farpane_consent_grant or farpane_consent_deny; silence for 60 s denies.
#define FARPANE_EVENT_CONSENT_REQUESTED 3

// Sharer: show that `name` sees the screen, then call farpane_indicator_ack now and every second.
#define FARPANE_EVENT_SHOW_INDICATOR 4

// Sharer: the helper `id` may see the screen from now on.
#define FARPANE_EVENT_SHARING 5

// Sharer: the session of the helper `id` is over.
#define FARPANE_EVENT_HELPER_LEFT 6

// Sharer: the display went away; it is tried again. `text` says why.
#define FARPANE_EVENT_SCREEN_LOST 7

// Sharer: a replay has come to its end; the last picture stays.
#define FARPANE_EVENT_SOURCE_ENDED 8

// Sharer: the screen cannot be shared. Every helper's session has ended. `text` says why.
#define FARPANE_EVENT_FAILED 9

// `missed` events that an app can do without were dropped, because it did not take them.
#define FARPANE_EVENT_MISSED 10

// Helper: the sharer has been asked for consent.
#define FARPANE_EVENT_CONSENT_PENDING 11

// Helper: `scopes` are its rights from now on. The first time, the sharer has consented, and
// frames follow.
#define FARPANE_EVENT_CONSENT_GRANTED 12

// The session, or at a sharer that of the helper `id`, goes by another `path`. `text` says why.
#define FARPANE_EVENT_PATH_CHANGED 13

// Helper: it does not get what it asked for; what it has stays.
#define FARPANE_EVENT_REFUSED 14

// Helper: input counts from now on, all of it if `scopes` holds FARPANE_SCOPE_CONTROL; only moves
// of the pointer, which are shown, with FARPANE_SCOPE_VIEW; none without either.
#define FARPANE_EVENT_INPUT 15

// Sharer: the question of the helper `id` was taken back before it was answered.
#define FARPANE_EVENT_CONSENT_WITHDRAWN 16

// Helper: nothing moves until FARPANE_EVENT_RESUMED.
#define FARPANE_EVENT_SUSPENDED 17

// Helper: the session goes on.
#define FARPANE_EVENT_RESUMED 18

// Sharer: the display takes no input of the helper `id`, whose control is taken back. `text` says
// why.
#define FARPANE_EVENT_INPUT_FAILED 19

// Sharer: the helper `id` was not let in: it did not prove who it is. `text` says why.
#define FARPANE_EVENT_HELPER_REFUSED 20

// The sharer's device does not keep the tenant's rules, or nobody knows: `posture`. Show it, then
// call farpane_compliance_ack; before that nobody is asked for consent.
#define FARPANE_EVENT_COMPLIANCE_WARNING 21

// Sharer with FARPANE_SESSION_LEASE_BY_APP: the lease of the session of the helper `id` is to be
// renewed, every 5 s. Answer with farpane_lease_renew and `renewal`: a lease lasts for 10 s from
// when it was asked for.
#define FARPANE_EVENT_LEASE_DUE 22

// Sharer: the helper `id` points at column `x` and row `y` of the screen.
#define FARPANE_EVENT_POINTING 23

// The other side, at a sharer the helper `id`, wrote the message `text`: ends of lines and tabs
// are the only control characters in it.
#define FARPANE_EVENT_CHAT 24

// The clipboard of the other side, at a sharer of the helper `id`, is `text`.
#define FARPANE_EVENT_CLIPBOARD 25

// The other side, at a sharer the helper `id`, has the file `file` of `bytes` bytes, called
// `text`. Answer with farpane_file_accept or farpane_file_stop.
#define FARPANE_EVENT_FILE_OFFERED 26

// All of `file` is at its receiver. If it came to this side (`outgoing` 0), `text` is its path.
#define FARPANE_EVENT_FILE_DONE 27

// `file` will not come to its receiver whole; what was there of it is removed. `text` says why.
#define FARPANE_EVENT_FILE_STOPPED 28

// Sharer: the helper `id` answers the prompt. Take name and password by farpane_credentials_take.
#define FARPANE_EVENT_CREDENTIALS 29

// Sharer: elevation has ended: sign the administrator out who was signed in for the helper `id`.
#define FARPANE_EVENT_SIGN_OUT 30

// Helper: the sharer's machine asks for an administrator's password (`open` 1), or no longer does.
// Answer with farpane_credentials_send.
#define FARPANE_EVENT_PROMPT 31

// Helper with a membership: the sharer has proved that it is of the tenant. `name` is who sits
// there, `text` the device.
#define FARPANE_EVENT_SHARER_VERIFIED 32

// The device keeps the tenant's rules.
#define FARPANE_POSTURE_COMPLIANT 1

// It does not.
#define FARPANE_POSTURE_NOT_COMPLIANT 2

// Nobody has said so.
#define FARPANE_POSTURE_UNKNOWN 3

// An audit log. A name, as farpane_session.
typedef struct farpane_audit farpane_audit;

// A picture that was received. A name, as farpane_session.
typedef struct farpane_frame farpane_frame;

// A place in a tenant. A name, as farpane_session.
typedef struct farpane_membership farpane_membership;

// A session. A name, not an address: it is never dereferenced, and a wrong one is an error.
typedef struct farpane_session farpane_session;

// What a function came to: 0 and above are no failure, below is an error.
typedef int32_t farpane_result;

// A pointer. Begin with FARPANE_CURSOR_INIT.
typedef struct {
  // sizeof(farpane_cursor).
  uint32_t struct_size;
  // 1 when it is to be drawn.
  uint32_t visible;
  // Column of its hot spot on the screen; may be outside.
  int32_t x;
  // Row of its hot spot on the screen; may be outside.
  int32_t y;
  // Names its shape: equal numbers are equal shapes. 0 for no shape.
  uint64_t shape;
  // Columns of the shape, at most 256; 0 when there is none.
  uint32_t width;
  // Rows of the shape, at most 256.
  uint32_t height;
  // Column of the hot spot in the shape.
  uint32_t hot_x;
  // Row of the hot spot in the shape.
  uint32_t hot_y;
} farpane_cursor;

// What happened. Begin with FARPANE_EVENT_INIT.
typedef struct {
  // sizeof(farpane_event).
  uint32_t struct_size;
  // FARPANE_EVENT_*.
  uint32_t kind;
  // Sharer: which helper. 0 when it is about the session itself.
  uint64_t id;
  // FARPANE_SCOPE_* bits.
  uint32_t scopes;
  // FARPANE_END_*, for FARPANE_EVENT_ENDED and FARPANE_EVENT_HELPER_LEFT.
  uint32_t reason;
  // 1 when the connection was lost and farpane_session_connect may bring it back.
  uint32_t lost;
  // For FARPANE_EVENT_MISSED.
  uint32_t missed;
  // The name of whom the event is about, NUL-terminated UTF-8: only their own word unless
  // `verified`, but without deceptive characters.
  char name[FARPANE_NAME_CAPACITY];
  // The fingerprint of the key that they proved to hold, NUL-terminated.
  char key[FARPANE_KEY_CAPACITY];
  // What the kind says; else why, for people. NUL-terminated UTF-8, cut where it is longer.
  char text[FARPANE_TEXT_CAPACITY];
  // FARPANE_PATH_*, for FARPANE_EVENT_PATH_CHANGED.
  uint32_t path;
  // Bytes of the whole text, as farpane_event_text gives it.
  uint32_t text_len;
  // 1 when the tenant says the name, and not only whoever bears it.
  uint32_t verified;
  // FARPANE_POSTURE_*, for FARPANE_EVENT_COMPLIANCE_WARNING and FARPANE_EVENT_CONSENT_REQUESTED.
  uint32_t posture;
  // Column, for FARPANE_EVENT_POINTING.
  uint32_t x;
  // Row.
  uint32_t y;
  // Whether a prompt is open, for FARPANE_EVENT_PROMPT.
  uint32_t open;
  // Which file. Files that this side offered and those that the other did are numbered apart.
  uint32_t file;
  // 1 when this side offered the file.
  uint32_t outgoing;
  // 0.
  uint32_t reserved;
  // The file's bytes.
  uint64_t bytes;
  // For FARPANE_EVENT_LEASE_DUE.
  uint64_t renewal;
} farpane_event;

// What is known of a received frame. Begin with FARPANE_FRAME_INFO_INIT.
typedef struct {
  // sizeof(farpane_frame_info).
  uint32_t struct_size;
  // FARPANE_FORMAT_BGRX.
  uint32_t format;
  // Columns.
  uint32_t width;
  // Rows.
  uint32_t height;
  // Counts up when the sharer's screen became another one, as when its size changed.
  uint32_t generation;
  // Rectangles that farpane_frame_get_damage would store.
  uint32_t damage_count;
  // The newest update in it.
  uint64_t update;
  // When its newest datagram arrived, in microseconds of CLOCK_MONOTONIC.
  uint64_t received_us;
  // When it was composed, same clock.
  uint64_t composed_us;
} farpane_frame_info;

// A frame's pixels. Begin with FARPANE_PLANE_INIT.
typedef struct {
  // sizeof(farpane_plane).
  uint32_t struct_size;
  // 0.
  uint32_t reserved;
  // The first pixel. Never written again while the frame is alive.
  const uint8_t *pixels;
  // Bytes from there on.
  size_t pixels_len;
  // Bytes from one row to the next.
  size_t stride;
} farpane_plane;

// A rectangle in pixels from the top left corner.
typedef struct {
  // Column of the left edge.
  uint32_t x;
  // Row of the upper edge.
  uint32_t y;
  // Columns.
  uint32_t width;
  // Rows.
  uint32_t height;
} farpane_rect;

// What the helper did with mouse or keyboard. Begin with FARPANE_INPUT_INIT.
typedef struct {
  // sizeof(farpane_input).
  uint32_t struct_size;
  // FARPANE_INPUT_*.
  uint32_t kind;
  // Column on the sharer's screen.
  int32_t x;
  // Row on the sharer's screen.
  int32_t y;
  // Button (1 left, 2 middle, 3 right, 4 back, 5 forward) or key (USB HID usage of page 7).
  uint32_t code;
  // 1 when it went down, 0 when it went up.
  uint32_t pressed;
  // Wheel clicks to the right.
  int32_t scroll_x;
  // Wheel clicks down.
  int32_t scroll_y;
} farpane_input;

// Takes one line of the log: level, text (UTF-8, not NUL-terminated), its bytes, and the pointer
// given with it. Called from any thread, never twice at once.
typedef void (*farpane_log_fn)(uint32_t, const char*, size_t, void*);

// A picture that the app captured. Begin with FARPANE_PICTURE_INIT.
typedef struct {
  // sizeof(farpane_picture).
  uint32_t struct_size;
  // FARPANE_FORMAT_*.
  uint32_t format;
  // Columns, 1 to 16384.
  uint32_t width;
  // Rows, 1 to 16384.
  uint32_t height;
  // The first pixel. Read during the call only.
  const uint8_t *pixels;
  // Bytes that may be read there: at least stride * (height - 1) + 4 * width.
  size_t pixels_len;
  // Bytes from one row to the next, at least 4 * width.
  size_t stride;
  // Where it differs from the picture pushed before; NULL for everywhere. Rectangles may
  // overlap, and are cut at the edges.
  const farpane_rect *damage;
  // Rectangles there, at most 4096. With damage NULL it is 0.
  size_t damage_count;
} farpane_picture;

// How a session is made. Begin with FARPANE_SESSION_CONFIG_INIT; what stays 0 has its default.
// All texts are UTF-8, need no NUL and are copied.
typedef struct {
  // sizeof(farpane_session_config).
  uint32_t struct_size;
  // FARPANE_ROLE_SHARER or FARPANE_ROLE_HELPER.
  uint32_t role;
  // The name that the other side sees; it is not verified. Default "sharer" or "helper".
  const char *name;
  // Its bytes.
  size_t name_len;
  // Helper: the invitation that the sharer gave out. Required.
  const char *invitation;
  // Its bytes.
  size_t invitation_len;
  // Sharer: what to share: "x11", "x11:DISPLAY", "replay:FILE" or "pattern:NAME". By
  // default nothing is captured: the app pushes its pictures by farpane_frame_push.
  const char *source;
  // Its bytes.
  size_t source_len;
  // Sharer: the one monitor of the source to share. Default all.
  const char *monitor;
  // Its bytes.
  size_t monitor_len;
  // Sharer: where to listen, as "192.0.2.7:4433"; port 0 takes a free one. Default
  // "0.0.0.0:0".
  const char *listen;
  // Its bytes.
  size_t listen_len;
  // Sharer: the program that tries the driver of an encoder in hardware before films rely on
  // it, most simply this program itself: it is started as `PROGRAM probe-encoder NAME`, calls
  // farpane_probe_encoder with NAME and ends. By default films are encoded in software only,
  // as they are where no driver works, and from the first failure of one on.
  const char *probe;
  // Its bytes.
  size_t probe_len;
  // Sharer: the file that keeps what was found out about each driver, so that none is tried
  // twice; it need not exist, its folder does. Required with `probe`, and only with it.
  const char *remembered;
  // Its bytes.
  size_t remembered_len;
  // Helper: the pairing code that the sharer told, for an invitation made with one.
  const char *code;
  // Its bytes.
  size_t code_len;
  // Sharer: relays for helpers who cannot come directly, one a line, at most 4, as
  // "turn:USER:PASSWORD@HOST" over UDP or "turns:USER:PASSWORD@HOST?pin=PIN" over TLS. Helpers
  // get them with the invitation. Default none.
  const char *relays;
  // Its bytes.
  size_t relays_len;
  // FARPANE_SCOPE_* bits. Sharer: what helpers may be allowed at most. Helper: what to ask for.
  // Default FARPANE_SCOPE_VIEW.
  uint32_t scopes;
  // FARPANE_SESSION_* bits.
  uint32_t flags;
  // Sharer: the X display to which the input of helpers goes, as ":0". Default the one of an
  // "x11" source; where there is none, helpers cannot control.
  const char *input;
  // Its bytes.
  size_t input_len;
  // This side's place in a tenant: only members of the same tenant are let in. It may be
  // released once the session is made. Default NULL: whoever has an invitation may ask.
  const farpane_membership *membership;
  // Where what happens is written down before it happens; a session that cannot be written down
  // ends. It may be released once the session is made. Default NULL: nowhere.
  const farpane_audit *audit;
} farpane_session_config;

// Says that an event or a frame may be there. Called from any thread.
typedef void (*farpane_wakeup_fn)(void*);

// What a session has counted. Begin with FARPANE_STATS_INIT. A figure counts only when its bit
// in `valid` is set: bit 0 for `helpers`, and so on in order.
typedef struct {
  // sizeof(farpane_stats).
  uint32_t struct_size;
  // 0.
  uint32_t reserved;
  // Which figures count.
  uint64_t valid;
  // Sharer: helpers that see the screen now.
  uint64_t helpers;
  // Sharer: updates sent. Helper: number of the newest update received.
  uint64_t updates;
  // Sharer: encoded bytes in the updates.
  uint64_t update_bytes;
  // Sharer: frames captured since the screen was opened last. Helper: frames composed.
  uint64_t frames;
  // Sharer: changes that the display did not report and the watchdog found.
  uint64_t watchdog_misses;
  // Smoothed round-trip time in microseconds.
  uint64_t rtt_us;
  // Sharer: how long datagrams wait in queues on the way, in microseconds.
  uint64_t queue_delay_us;
  // Helper: UDP payload bytes sent.
  uint64_t udp_sent_bytes;
  // Helper: UDP payload bytes received.
  uint64_t udp_received_bytes;
  // Sharer: times the watchdog looked for such changes.
  uint64_t watchdog_checks;
  // Sharer: frames of this screen that a GPU compared.
  uint64_t frames_by_gpu;
} farpane_stats;

// What a tenant has given out to one of its ends, as `farpane tenant` writes it. Begin with
// FARPANE_MEMBERSHIP_CONFIG_INIT. Texts are UTF-8, and all is copied.
typedef struct {
  // sizeof(farpane_membership_config).
  uint32_t struct_size;
  // FARPANE_ROLE_SHARER or FARPANE_ROLE_HELPER: the membership serves sessions of this role.
  uint32_t role;
  // The tenant, as in its tenant.json. Required.
  const char *tenant;
  // Its bytes.
  size_t tenant_len;
  // The tenant's newest revocation list, as in revocations.cwt. Required.
  const uint8_t *revocations;
  // Its bytes.
  size_t revocations_len;
  // Helper: its grant. Sharer: the certificate of its device. Required.
  const uint8_t *credential;
  // Its bytes.
  size_t credential_len;
  // The private key that the credential names, as PEM. Required.
  const char *key;
  // Its bytes.
  size_t key_len;
  // Sharer: the grant of who sits there. Default none: the device speaks for its owner.
  const uint8_t *person;
  // Its bytes.
  size_t person_len;
  // Its private key, as PEM. Required with `person`, and only with it.
  const char *person_key;
  // Its bytes.
  size_t person_key_len;
  // The tenant's settings: FARPANE_TENANT_* bits.
  uint32_t settings;
  // Sharer: what the management of this machine allows on it, FARPANE_SCOPE_* bits. Default all.
  uint32_t device_scopes;
  // The oldest version of either end's software that the tenant allows: the first number of
  // three, of which each is at most 65535. Default 0.0.0.
  uint32_t minimum_major;
  // The second.
  uint32_t minimum_minor;
  // The third.
  uint32_t minimum_patch;
  // 0.
  uint32_t reserved;
} farpane_membership_config;

// It is done.
#define FARPANE_OK 0

// Nothing is there yet: wait for the descriptor or the wakeup, or call again with a timeout.
#define FARPANE_AGAIN 1

// The session is over and everything it had to say was taken.
#define FARPANE_ENDED 2

// An argument is NULL, out of range or not UTF-8. A mistake of the caller.
#define FARPANE_ERR_ARGUMENT -1

// No living object has this handle: it was released already, or it is of another kind.
#define FARPANE_ERR_HANDLE -2

// The structure or a flag is of a newer version than this library.
#define FARPANE_ERR_UNSUPPORTED -3

// The session's role or state does not allow it now.
#define FARPANE_ERR_STATE -4

// The buffer is too small; the length that is needed was stored.
#define FARPANE_ERR_BUFFER -5

// Nobody may see the screen: grant a request for consent first.
#define FARPANE_ERR_CONSENT_REQUIRED -6

// The indicator does not show: show it and call farpane_indicator_ack first.
#define FARPANE_ERR_INDICATOR_REQUIRED -7

// The sharer has not granted this, or it is not there now.
#define FARPANE_ERR_NOT_PERMITTED -8

// No request, helper, file or secret has this number (any more).
#define FARPANE_ERR_NOT_FOUND -9

// Too many objects of this kind are alive, or too much waits to be sent: release some, or wait.
#define FARPANE_ERR_LIMIT -10

// The invitation is damaged, expired or of another version.
#define FARPANE_ERR_INVITATION -11

// The network, the display or the system refused; farpane_last_error says which and why.
#define FARPANE_ERR_SYSTEM -12

// Called from inside a callback, where nothing of this library may be called.
#define FARPANE_ERR_REENTRANT -13

// A bug in this library. The session is over; please report what standard error says.
#define FARPANE_ERR_PANIC -14

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens the audit log in `folder`, which is made if it is not there, and stores it in `out`; NULL
// there when it fails. Any number of sessions may write to it. Records are kept for 30 days;
// `farpane audit verify` checks them. It is closed by farpane_audit_unref, once no session uses it
// any more.
//
// Any thread; reads and writes the disk. Errors: FARPANE_ERR_ARGUMENT, FARPANE_ERR_LIMIT above 64
// logs, FARPANE_ERR_SYSTEM when another program writes it, others have access to it, it is
// damaged, or the disk is full.
farpane_result farpane_audit_open(const char *folder, size_t folder_len, farpane_audit **out);

// Releases an audit log. Sessions that use it go on writing to it.
//
// Any thread. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_audit_unref(farpane_audit *audit);

// Sends a message of at most FARPANE_MAX_CHAT_BYTES: to the helper `id`, or to the sharer with
// `id` 0. Ends of lines and tabs are the only control characters it may hold.
//
// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_PERMITTED when the session does not
// allow messages now, FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_LIMIT when
// too much waits to be sent, FARPANE_ERR_ARGUMENT, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_chat_send(farpane_session *session,
                                 uint64_t id,
                                 const char *text,
                                 size_t text_len);

// Sends this side's clipboard, of at most FARPANE_MAX_CLIPBOARD_BYTES: to the helper `id`, which
// needs FARPANE_SCOPE_CLIPBOARD_OUT, or to the sharer with `id` 0, FARPANE_SCOPE_CLIPBOARD_IN.
//
// Any thread, does not block for long. Errors: as those of farpane_chat_send.
farpane_result farpane_clipboard_send(farpane_session *session,
                                      uint64_t id,
                                      const char *text,
                                      size_t text_len);

// Holds the session (`held` 1), of the helper `id` or at a helper with `id` 0, or lets it go on
// (0). Meanwhile nothing is captured and no input counts; the helper gets FARPANE_EVENT_SUSPENDED.
// Each side lets go only what it holds itself.
//
// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE, FARPANE_ERR_LIMIT, FARPANE_ERR_ARGUMENT.
farpane_result farpane_session_hold(farpane_session *session, uint64_t id, uint32_t held);

// Sharer: a prompt for consent or a password has opened on this machine (`open` 1), or has closed
// (0). Until as many have closed as have opened, no helper's input counts, and helpers with
// FARPANE_SCOPE_ELEVATED can send credentials. Call it for every prompt of the system or the app;
// the question of FARPANE_EVENT_CONSENT_REQUESTED counts by itself.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_prompt_set(farpane_session *session, uint32_t open);

// Says that the warning of FARPANE_EVENT_COMPLIANCE_WARNING was seen: at a sharer, about the
// helper `id`; at a helper with `id` 0.
//
// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE, FARPANE_ERR_LIMIT, FARPANE_ERR_ARGUMENT.
farpane_result farpane_compliance_ack(farpane_session *session, uint64_t id);

// Sharer: answers FARPANE_EVENT_LEASE_DUE: the session of the helper `id` may go on, with at most
// `scopes` (FARPANE_SCOPE_* bits; 0 ends it). Without an answer it ends when its lease does.
//
// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
// FARPANE_ERR_UNSUPPORTED for unknown bits, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
// FARPANE_ERR_ARGUMENT.
farpane_result farpane_lease_renew(farpane_session *session,
                                   uint64_t id,
                                   uint64_t renewal,
                                   uint32_t scopes);

// Sharer: ends the session of the helper `id` because what it was granted elsewhere was taken
// back: both sides and the audit log are told so. As farpane_consent_revoke otherwise.
//
// Any thread; waits for the sharing thread, usually less than a millisecond. Errors:
// FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_grant_revoke(farpane_session *session, uint64_t id);

// Allows the request `id` of FARPANE_EVENT_CONSENT_REQUESTED: `scopes` are FARPANE_SCOPE_* bits,
// no more than were asked for; after `ttl_ms` milliseconds the session ends (0: after 8 hours, the
// longest there is). FARPANE_EVENT_SHOW_INDICATOR follows.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
// FARPANE_ERR_NOT_FOUND when no such request waits, FARPANE_ERR_ARGUMENT without
// FARPANE_SCOPE_VIEW, FARPANE_ERR_UNSUPPORTED for unknown bits.
farpane_result farpane_consent_grant(farpane_session *session,
                                     uint64_t id,
                                     uint32_t scopes,
                                     uint64_t ttl_ms);

// Denies the request `id` of FARPANE_EVENT_CONSENT_REQUESTED.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
// FARPANE_ERR_NOT_FOUND when no such request waits.
farpane_result farpane_consent_deny(farpane_session *session, uint64_t id);

// Takes rights from the helper `id`: `scopes` are the FARPANE_SCOPE_* bits that are left.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
// FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_ARGUMENT,
// FARPANE_ERR_UNSUPPORTED for unknown bits.
farpane_result farpane_consent_lower(farpane_session *session, uint64_t id, uint32_t scopes);

// Ends the session of the helper `id`. When this returns, nothing that is captured from then on
// gets to it. FARPANE_EVENT_HELPER_LEFT follows.
//
// Any thread; waits for the sharing thread, usually less than a millisecond. Errors:
// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE, FARPANE_ERR_NOT_FOUND when no such helper is there.
farpane_result farpane_consent_revoke(farpane_session *session, uint64_t id);

// Consents in advance, to viewing only, to whoever comes with this invitation of this sharer
// within `ttl_ms` milliseconds. The indicator is needed all the same.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
// FARPANE_ERR_INVITATION, FARPANE_ERR_ARGUMENT, also when `ttl_ms` is 0.
farpane_result farpane_consent_in_advance(farpane_session *session,
                                          const char *invitation,
                                          size_t invitation_len,
                                          uint64_t ttl_ms);

// Says that the indicator is on the sharer's screen at this moment. Call it after
// FARPANE_EVENT_SHOW_INDICATOR and then every second: 3 s after the last call sharing ends.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_indicator_ack(farpane_session *session);

// Starts the capture, or what is pushed to flow. It goes on for the helpers that come later, and
// has to be started anew after the last has left.
//
// Any thread; waits for the sharing thread, usually less than a millisecond. Errors:
// FARPANE_ERR_CONSENT_REQUIRED, FARPANE_ERR_INDICATOR_REQUIRED, FARPANE_ERR_HANDLE,
// FARPANE_ERR_STATE. After an error nothing is captured.
farpane_result farpane_capture_start(farpane_session *session);

// Helper: answers the prompt of FARPANE_EVENT_PROMPT with an administrator's name and password, of
// at most 512 bytes together. They go by this session alone, sealed, and what the library holds of
// them is overwritten as soon as they are gone; overwrite the app's own.
//
// Any thread, does not block. Errors: FARPANE_ERR_NOT_PERMITTED without an open prompt or
// FARPANE_SCOPE_ELEVATED, FARPANE_ERR_LIMIT when too much waits to be sent, FARPANE_ERR_ARGUMENT,
// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_credentials_send(farpane_session *session,
                                        const char *name,
                                        size_t name_len,
                                        const char *password,
                                        size_t password_len);

// Sharer: copies out what FARPANE_EVENT_CREDENTIALS of the helper `id` announced, as texts with a
// NUL, and forgets it; FARPANE_CREDENTIAL_CAPACITY bytes suffice for each. Hand them to the prompt
// and to nothing else, then overwrite them. What is not taken is forgotten when elevation ends.
//
// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when nothing waits,
// FARPANE_ERR_BUFFER when a capacity is too small, and then it still waits, FARPANE_ERR_HANDLE,
// FARPANE_ERR_STATE, FARPANE_ERR_ARGUMENT.
farpane_result farpane_credentials_take(farpane_session *session,
                                        uint64_t id,
                                        char *name,
                                        size_t name_capacity,
                                        char *password,
                                        size_t password_capacity);

// Helper: stores where the sharer's pointer is and what it looks like; copies its picture to
// `bgra` unless that is NULL: width * height pixels of blue, green, red, alpha, colours
// premultiplied. 262144 bytes always suffice. Frames never contain the pointer.
//
// Any thread. Returns FARPANE_AGAIN while nothing is known of a pointer. Errors:
// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is connected, FARPANE_ERR_ARGUMENT,
// FARPANE_ERR_BUFFER when the picture needs more than `capacity` bytes; `cursor` is then stored
// all the same.
farpane_result farpane_cursor_get(farpane_session *session,
                                  farpane_cursor *cursor,
                                  uint8_t *bgra,
                                  size_t capacity);

// Takes the next event into `event`, waiting for it at most `timeout_ms` milliseconds: 0 does not
// wait, FARPANE_FOREVER waits without end. Nothing in it needs to be released.
//
// Any thread, but one at a time takes a session's events. Returns FARPANE_AGAIN when there is none
// in that time, FARPANE_ENDED after the last. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT.
farpane_result farpane_event_next(farpane_session *session,
                                  uint32_t timeout_ms,
                                  farpane_event *event);

// Copies out the whole text of the event that was taken last, with a NUL behind it, and its bytes
// without the NUL into `len`. FARPANE_EVENT_TEXT_CAPACITY bytes always suffice.
//
// The thread that takes the session's events. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT,
// FARPANE_ERR_BUFFER when `capacity` is not above `*len`.
farpane_result farpane_event_text(farpane_session *session,
                                  char *text,
                                  size_t capacity,
                                  size_t *len);

// Offers the file at `path` under its own name: to the helper `id`, which needs
// FARPANE_SCOPE_FILE_OUT, or to the sharer with `id` 0, FARPANE_SCOPE_FILE_IN. The number by which
// events name it goes to `file`. It is read by a thread of the library once it is wanted:
// FARPANE_EVENT_FILE_DONE or FARPANE_EVENT_FILE_STOPPED follows.
//
// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_PERMITTED when the session does not
// allow it now, FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_SYSTEM when the
// file cannot be read, FARPANE_ERR_LIMIT above 8 files at once, FARPANE_ERR_ARGUMENT also for a
// name that the other side would refuse, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_file_offer(farpane_session *session,
                                  uint64_t id,
                                  const char *path,
                                  size_t path_len,
                                  uint32_t *file);

// Takes the file `file` of FARPANE_EVENT_FILE_OFFERED into the folder `folder`, which has to be
// there. It is written by a thread of the library under another, hidden name; when all of it is
// there it gets the name with which it was offered, or one like it where there is such a file
// already: the path is the text of FARPANE_EVENT_FILE_DONE. Take the events of the session: the
// file gets its name when that one is taken.
//
// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_FOUND when no such file waits for
// an answer, FARPANE_ERR_SYSTEM when the folder takes no file, FARPANE_ERR_HANDLE,
// FARPANE_ERR_STATE, FARPANE_ERR_ARGUMENT.
farpane_result farpane_file_accept(farpane_session *session,
                                   uint64_t id,
                                   uint32_t file,
                                   const char *folder,
                                   size_t folder_len);

// Gives up a file, or says that one that was offered is not wanted. `outgoing` is 1 for a file
// that this side offered. FARPANE_EVENT_FILE_STOPPED follows at the other side, and at this
// one too where the file was under way.
//
// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
farpane_result farpane_file_stop(farpane_session *session,
                                 uint64_t id,
                                 uint32_t file,
                                 uint32_t outgoing);

// Helper: takes the newest frame that was not taken yet into `out`, waiting for it at most
// `timeout_ms` milliseconds: 0 does not wait, FARPANE_FOREVER waits without end. Frames that
// nobody took in time are skipped; their damage is in the next. Release it with
// farpane_frame_unref; it may outlive the session.
//
// Any thread, but one at a time takes a session's frames. Returns FARPANE_AGAIN when there is none
// in that time, also before the session is connected, and FARPANE_ENDED after the session's end
// was taken by farpane_event_next. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
// FARPANE_ERR_ARGUMENT, FARPANE_ERR_LIMIT above 4096 frames alive.
farpane_result farpane_frame_next(farpane_session *session,
                                  uint32_t timeout_ms,
                                  farpane_frame **out);

// Stores what is known of a frame.
//
// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT.
farpane_result farpane_frame_get_info(farpane_frame *frame, farpane_frame_info *info);

// Stores where a frame's pixels are: they are not copied, and stay there unchanged until the
// frame's last reference is released. `index` is 0, as there is one plane.
//
// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT.
farpane_result farpane_frame_get_plane(farpane_frame *frame, uint32_t index, farpane_plane *plane);

// Stores where a frame differs from the one taken before: rectangles inside the picture that may
// overlap, at most 64, and how many there are in `count`.
//
// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT, FARPANE_ERR_BUFFER when
// `capacity` is below `*count`, and then none is stored.
farpane_result farpane_frame_get_damage(farpane_frame *frame,
                                        farpane_rect *rects,
                                        size_t capacity,
                                        size_t *count);

// Adds a reference to a frame. Each has to be released.
//
// Any thread. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_frame_ref(farpane_frame *frame);

// Releases a reference to a frame. With the last the handle and the pixels are gone.
//
// Any thread. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_frame_unref(farpane_frame *frame);

// Tries the driver of the encoder in hardware called `name`, which is the last argument of a
// program that a sharer started as its `probe`, and prints the verdict to the standard output.
// The driver may hang or crash here. Call it once, as the first thing of a process that does
// nothing else and then exits with 0 for FARPANE_OK and with 1 for anything else; after a minute
// the process aborts by itself.
//
// Blocks. Errors: FARPANE_ERR_ARGUMENT for a name of no encoder, FARPANE_ERR_SYSTEM when it does
// not work here.
farpane_result farpane_probe_encoder(const char *name, size_t name_len);

// Helper: does with the sharer's mouse and keyboard what `input` says, in pixels of the frame.
// Counts between FARPANE_EVENT_INPUT with FARPANE_SCOPE_CONTROL and the next one without; moves
// also with FARPANE_SCOPE_VIEW alone: they are shown, and the sharer's pointer stays where it is.
//
// Any thread, does not block. Returns FARPANE_AGAIN when so much waits that it was not taken: call
// again, above all with what lets go of a key. Errors: FARPANE_ERR_NOT_PERMITTED while input does
// not count, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is connected,
// FARPANE_ERR_ARGUMENT for an unknown kind, button or key and for more than 32 clicks.
farpane_result farpane_input_send(farpane_session *session, const farpane_input *input);

// Helper: asks for `scopes` (FARPANE_SCOPE_* bits) in place of what it has. Less is there at once,
// more once the sharer consents: FARPANE_EVENT_CONSENT_GRANTED or FARPANE_EVENT_REFUSED follows.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is
// connected, FARPANE_ERR_ARGUMENT, FARPANE_ERR_UNSUPPORTED for unknown bits.
farpane_result farpane_consent_request(farpane_session *session, uint32_t scopes);

// Sharer: makes an invitation for one helper, valid for `valid_ms` milliseconds, and copies it
// out as text with a NUL; its bytes without the NUL go to `len`. FARPANE_INVITATION_CAPACITY bytes
// always suffice. Give it to the helper over a safe way: whoever has it may ask to see the screen.
//
// `addresses` is where the helper finds this sharer, in the order in which to try: "host:port"
// texts with commas between. It may be empty where the session has relays, which are tried after
// them.
//
// Any thread. Waits until every relay has answered or failed, at most 5 s; without relays it does
// not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before
// farpane_session_connect, FARPANE_ERR_ARGUMENT, FARPANE_ERR_INVITATION for unusable addresses or
// times and when too many invitations are alive, FARPANE_ERR_BUFFER when `capacity` is not above
// `*len`, and then there is no invitation.
farpane_result farpane_invitation_create(farpane_session *session,
                                         const char *addresses,
                                         size_t addresses_len,
                                         uint64_t valid_ms,
                                         char *text,
                                         size_t capacity,
                                         size_t *len);

// Sharer: as farpane_invitation_create, without a secret in the invitation: it may travel openly.
// The code that lets a helper in goes to `code` as text with a NUL: FARPANE_CODE_CAPACITY bytes.
// Show it, to be told to the helper by another way, as by telephone. It is valid for 10 minutes at
// the most, and until 5 wrong ones were tried.
//
// Any thread. Waits and errors as those of farpane_invitation_create; also FARPANE_ERR_ARGUMENT
// when `code` is NULL.
farpane_result farpane_invitation_create_with_code(farpane_session *session,
                                                   const char *addresses,
                                                   size_t addresses_len,
                                                   uint64_t valid_ms,
                                                   char *text,
                                                   size_t capacity,
                                                   size_t *len,
                                                   char *code);

// Gives the whole process a sink for the log, or takes it away with NULL. By default there is
// none.
//
// `level` is the least important kind that is passed on, FARPANE_LOG_*. The log never holds
// names, keys, addresses, invitations or pixels. `call` is called with `user` from any thread,
// one line at a time; when this returns, the sink of before is not running and never runs again.
//
// Any thread. Errors: FARPANE_ERR_ARGUMENT for an unknown level.
farpane_result farpane_log_set(uint32_t level, farpane_log_fn call, void *user);

// Sharer without a source: takes a picture of the screen, reading each pixel of its damage once,
// during the call. The first picture, and one of another size, is taken whole. Pictures may be
// pushed at any time and any rate: what cannot be sent is replaced by what comes later.
//
// Any thread, one at a time; does not wait for the network. Errors: FARPANE_ERR_HANDLE,
// FARPANE_ERR_STATE when the session captures by itself, FARPANE_ERR_ARGUMENT,
// FARPANE_ERR_UNSUPPORTED.
farpane_result farpane_frame_push(farpane_session *session, const farpane_picture *picture);

// Sharer without a source: the pointer is where `cursor` says. `bgra` is its picture, width *
// height pixels of blue, green, red, alpha (colours premultiplied), `bgra_len` bytes; NULL and 0
// when its shape is the one of the call before. The shape's number is the app's to choose.
//
// Any thread, one at a time. Errors: as farpane_frame_push.
farpane_result farpane_cursor_push(farpane_session *session,
                                   const farpane_cursor *cursor,
                                   const uint8_t *bgra,
                                   size_t bgra_len);

// Makes a session and stores it in `out`; NULL there when it fails. Nothing is connected or
// captured yet. Release it with farpane_session_unref.
//
// Any thread. Errors: FARPANE_ERR_ARGUMENT, FARPANE_ERR_UNSUPPORTED, FARPANE_ERR_INVITATION,
// FARPANE_ERR_LIMIT above 256 sessions, FARPANE_ERR_HANDLE for a membership or an audit log that
// is none, FARPANE_ERR_SYSTEM.
farpane_result farpane_session_create(const farpane_session_config *config, farpane_session **out);

// Begins. A sharer listens when this returns; a helper is connected by another thread, and
// FARPANE_EVENT_CONNECTED or FARPANE_EVENT_ENDED says what came of it. After an end with `lost`
// a helper may call this again: it comes back with the same key.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE when it was called
// before or the session is over, FARPANE_ERR_SYSTEM when the address cannot be used.
farpane_result farpane_session_connect(farpane_session *session);

// Ends the session: nothing newly captured is sent, the other side is told, and
// FARPANE_EVENT_ENDED follows. Calling it again changes nothing.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_session_close(farpane_session *session);

// Ends the session if it is not over, waits for its threads and releases it: the handle is
// invalid from now on, and calls that wait in other threads return FARPANE_ENDED. Frames live on.
// Never call it from a callback.
//
// Any thread; waits for running threads, usually a few milliseconds. Errors: FARPANE_ERR_HANDLE,
// FARPANE_ERR_REENTRANT.
farpane_result farpane_session_unref(farpane_session *session);

// Waits until an event or a frame may be there, at most `timeout_ms` milliseconds: 0 does not
// wait, FARPANE_FOREVER waits without end. Takes nothing.
//
// Any thread. Returns FARPANE_AGAIN when nothing came in that time, FARPANE_ENDED when the session
// is over. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_session_wait(farpane_session *session, uint32_t timeout_ms);

// Stores a descriptor that poll(2) finds readable when an event or a frame may be there. It stays
// readable until farpane_event_next or farpane_frame_next returned FARPANE_AGAIN with nothing left
// to take. The session owns it: do not read, write or close it.
//
// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT, FARPANE_ERR_SYSTEM,
// FARPANE_ERR_UNSUPPORTED where the system has no such descriptor.
farpane_result farpane_session_event_fd(farpane_session *session, int32_t *fd);

// Has `call` called with `user` when an event or a frame may be there; NULL ends that. It is
// called from threads of the library, must return at once and must not call the library. When
// this returns, the callback of before is not running and never runs again.
//
// Any thread. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_session_set_wakeup(farpane_session *session,
                                          farpane_wakeup_fn call,
                                          void *user);

// Sharer: copies out where it listens, as "192.0.2.7:4433" with a NUL, and stores its bytes
// without the NUL in `len`.
//
// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before farpane_session_connect,
// FARPANE_ERR_ARGUMENT, FARPANE_ERR_BUFFER when `capacity` is not above `*len`.
farpane_result farpane_session_address(farpane_session *session,
                                       char *text,
                                       size_t capacity,
                                       size_t *len);

// Stores what the session has counted.
//
// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is
// connected, FARPANE_ERR_ARGUMENT.
farpane_result farpane_stats_get(farpane_session *session, farpane_stats *stats);

// Makes a membership and stores it in `out`; NULL there when it fails. Any number of sessions may
// use it. Release it with farpane_membership_unref.
//
// Any thread. Errors: FARPANE_ERR_ARGUMENT for a document that is missing, damaged, expired, or
// not of this tenant and key, FARPANE_ERR_UNSUPPORTED, FARPANE_ERR_LIMIT above 256 memberships.
farpane_result farpane_membership_create(const farpane_membership_config *config,
                                         farpane_membership **out);

// Releases a membership. Sessions that use it go on.
//
// Any thread. Errors: FARPANE_ERR_HANDLE.
farpane_result farpane_membership_unref(farpane_membership *membership);

// Takes in a newer revocation list of the tenant: it counts for whoever comes from now on, by all
// sessions that use this membership. Sharers that are connected also call
// farpane_session_set_revocations, which ends the sessions of those it names.
//
// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT when it is not the tenant's, is
// older than the one that is known, or has expired; then that one stays.
farpane_result farpane_membership_set_revocations(farpane_membership *membership,
                                                  const uint8_t *list,
                                                  size_t list_len);

// Sharer: as farpane_membership_set_revocations; sessions of helpers whom the list names end, and
// when this returns nothing that is captured from then on gets to them.
//
// Any thread; waits for the sharing thread, usually less than a millisecond. Errors: as those of
// farpane_membership_set_revocations, and FARPANE_ERR_STATE before farpane_session_connect.
farpane_result farpane_session_set_revocations(farpane_session *session,
                                               const uint8_t *list,
                                               size_t list_len);

// The version of the interface that this library has: compare its high 16 bits with those of
// FARPANE_ABI_VERSION before anything else. Any thread, never fails.
uint32_t farpane_abi_version(void);

// The version of this library as "1.2.3", NUL-terminated, valid for ever. Any thread, never
// fails.
const char *farpane_version(void);

// A result in a few words, NUL-terminated, valid for ever. Any thread, never fails: an unknown
// result has words too.
const char *farpane_result_str(farpane_result result);

// Copies out what the last error on this thread said, as NUL-terminated UTF-8, and stores its
// bytes without the NUL in `len`. Functions that succeed leave it as it was.
//
// Any thread. Errors: FARPANE_ERR_BUFFER when `capacity` is not above `*len`, and then nothing is
// copied; FARPANE_ERR_ARGUMENT when `len` is NULL. These do not replace what is remembered.
farpane_result farpane_last_error(char *text, size_t capacity, size_t *len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FARPANE_H */
