// Shows a screen by farpane.h, in an X11 window.
// SPDX-License-Identifier: MIT OR Apache-2.0
//
// helper INVITATION_FILE [--dump FILE.ppm] [--headless] [--frames N | --seconds N]
// ends with the session, after N frames or seconds, or when its window is closed; --dump then
// writes the last frame. --headless opens no window.

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <farpane.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MARK = 7, MAX_DAMAGE = 64 };

// What is shown, and where. The session's frames hold no pointer: it is drawn over them.
typedef struct {
  farpane_session *session;
  farpane_frame *frame;
  farpane_frame_info info;
  farpane_plane plane;
  farpane_cursor cursor;
  unsigned long frames;
  uint64_t began_us;
  Display *display;  // NULL without a window.
  Window window;
  GC gc;
  Atom deleted;
} viewer;

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

// Whether nothing failed; otherwise says what.
static int ok(const char *what, farpane_result result) {
  char text[1024] = "";
  size_t len = 0;
  if (result >= 0) return 1;
  farpane_last_error(text, sizeof text, &len);
  fprintf(stderr, "helper: %s: %s: %s\n", what, farpane_result_str(result), text);
  return 0;
}

static int open_window(viewer *v) {
  if (!(v->display = XOpenDisplay(NULL))) return fprintf(stderr, "helper: no X display\n"), 0;
  int screen = DefaultScreen(v->display);
  Visual *visual = DefaultVisual(v->display, screen);
  if (DefaultDepth(v->display, screen) != 24 || visual->red_mask != 0xff0000)
    return fprintf(stderr, "helper: the display has other pixels than BGRX\n"), 0;
  v->window = XCreateSimpleWindow(v->display, DefaultRootWindow(v->display), 0, 0, 640, 400, 0, 0,
                                  BlackPixel(v->display, screen));
  v->gc = XCreateGC(v->display, v->window, 0, NULL);
  XSetForeground(v->display, v->gc, 0xff0000);
  v->deleted = XInternAtom(v->display, "WM_DELETE_WINDOW", False);
  XSetWMProtocols(v->display, v->window, &v->deleted, 1);
  XStoreName(v->display, v->window, "Farpane");
  XSelectInput(v->display, v->window, ExposureMask);
  XMapWindow(v->display, v->window);
  return 1;
}

// Paints a rectangle of the frame as it is; what lies outside is left out.
static void paint(viewer *v, int x, int y, int width, int height) {
  if (!v->display || !v->frame) return;
  if (x < 0) width += x, x = 0;
  if (y < 0) height += y, y = 0;
  if (width > (int)v->info.width - x) width = (int)v->info.width - x;
  if (height > (int)v->info.height - y) height = (int)v->info.height - y;
  if (width <= 0 || height <= 0) return;
  XImage image = {.width = (int)v->info.width, .height = (int)v->info.height, .format = ZPixmap,
                  .data = (char *)(uintptr_t)v->plane.pixels, .byte_order = LSBFirst,
                  .bitmap_unit = 32, .bitmap_bit_order = LSBFirst, .bitmap_pad = 32, .depth = 24,
                  .bytes_per_line = (int)v->plane.stride, .bits_per_pixel = 32};
  XInitImage(&image);
  XPutImage(v->display, v->window, v->gc, &image, x, y, x, y, (unsigned)width, (unsigned)height);
}

// Takes the frame that is there and paints its damage; FARPANE_OK when there was one.
static farpane_result take_frame(viewer *v) {
  farpane_frame *frame = NULL;
  farpane_rect damage[MAX_DAMAGE];
  size_t count = 0;
  uint32_t generation = v->info.generation;
  farpane_result result = farpane_frame_next(v->session, 0, &frame);
  if (result != FARPANE_OK) return result;
  if (v->frame) farpane_frame_unref(v->frame);
  v->frame = frame;
  if ((result = farpane_frame_get_info(frame, &v->info)) != FARPANE_OK ||
      (result = farpane_frame_get_plane(frame, 0, &v->plane)) != FARPANE_OK ||
      (result = farpane_frame_get_damage(frame, damage, MAX_DAMAGE, &count)) != FARPANE_OK)
    return result;
  if (v->frames++ == 0)
    printf("first frame after %.1f ms\n", (double)(now_us() - v->began_us) / 1000), fflush(stdout);
  if (v->display && (v->frames == 1 || v->info.generation != generation))
    XResizeWindow(v->display, v->window, v->info.width, v->info.height);
  for (size_t i = 0; i < count; i++)
    paint(v, (int)damage[i].x, (int)damage[i].y, (int)damage[i].width, (int)damage[i].height);
  return FARPANE_OK;
}

// Moves the mark to where the pointer is; it is drawn anew when a frame was painted over it.
static void show_pointer(viewer *v, int repaint) {
  farpane_cursor cursor = {.struct_size = sizeof cursor};
  if (!v->display || farpane_cursor_get(v->session, &cursor, NULL, 0) != FARPANE_OK) return;
  int moved = cursor.x != v->cursor.x || cursor.y != v->cursor.y;
  if (!repaint && !moved && cursor.visible == v->cursor.visible) return;
  paint(v, v->cursor.x, v->cursor.y, MARK, MARK);
  v->cursor = cursor;
  if (cursor.visible) XFillRectangle(v->display, v->window, v->gc, cursor.x, cursor.y, MARK, MARK);
}

// Answers the X server; 0 when the window was closed.
static int handle_window(viewer *v) {
  int open = 1;
  for (XEvent event; v->display && XPending(v->display);) {
    XNextEvent(v->display, &event);
    if (event.type == ClientMessage && (Atom)event.xclient.data.l[0] == v->deleted) open = 0;
    if (event.type != Expose) continue;
    paint(v, event.xexpose.x, event.xexpose.y, event.xexpose.width, event.xexpose.height);
    show_pointer(v, 1);
  }
  return open;
}

// Shows frames until a limit, the window's or the session's end; 0 for a failure.
static int view(viewer *v, unsigned long max_frames, uint64_t max_us) {
  struct pollfd fds[2] = {{.events = POLLIN}, {.fd = -1, .events = POLLIN}};
  if (!ok("descriptor", farpane_session_event_fd(v->session, &fds[0].fd))) return 0;
  if (v->display) fds[1].fd = ConnectionNumber(v->display);
  uint64_t past_us = 0;
  while ((past_us = now_us() - v->began_us) < max_us) {
    farpane_event event = {.struct_size = sizeof event};
    farpane_result frame = take_frame(v), result;
    show_pointer(v, frame == FARPANE_OK);
    while ((result = farpane_event_next(v->session, 0, &event)) == FARPANE_OK) {
      if (event.kind != FARPANE_EVENT_ENDED) continue;
      fprintf(stderr, "helper: %s\n", event.text);
      return event.reason == FARPANE_END_SHARER_ENDED || event.reason == FARPANE_END_EXPIRED;
    }
    if (!ok("frame", frame) || !ok("event", result)) return 0;
    if (!handle_window(v) || v->frames >= max_frames) break;  // The former also paints.
    uint64_t left_ms = (max_us - past_us) / 1000 + 1;
    poll(fds, 2, max_us == UINT64_MAX ? -1 : left_ms > 60000 ? 60000 : (int)left_ms);
  }
  return 1;
}

static int dump(const viewer *v, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) return perror(path), 0;
  fprintf(file, "P6\n%u %u\n255\n", v->info.width, v->info.height);
  for (uint32_t y = 0; y < v->info.height; y++)
    for (uint32_t x = 0; x < v->info.width; x++)
      for (int i = 2; i >= 0; i--) putc(v->plane.pixels[y * v->plane.stride + x * 4 + i], file);
  int failed = ferror(file);
  return fclose(file) == 0 && !failed ? 1 : (perror(path), 0);
}

int main(int argc, char **argv) {
  viewer v = {.info = {.struct_size = sizeof v.info}, .plane = {.struct_size = sizeof v.plane}};
  const char *path = NULL, *image = NULL, *frames = NULL, *seconds = NULL;
  int headless = 0, usage = 0;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--headless")) headless = 1;
    else if (!strcmp(argv[i], "--dump") && argv[i + 1]) image = argv[++i];
    else if (!strcmp(argv[i], "--frames") && argv[i + 1]) frames = argv[++i];
    else if (!strcmp(argv[i], "--seconds") && argv[i + 1]) seconds = argv[++i];
    else if (*argv[i] != '-' && !path) path = argv[i];
    else usage = 1;
  }
  if (usage || !path) return fprintf(stderr, "usage: see the first lines of helper.c\n"), 1;
  char invitation[4096];
  FILE *file = fopen(path, "rb");
  if (!file) return perror(path), 1;
  size_t len = fread(invitation, 1, sizeof invitation, file);
  fclose(file);
  farpane_session_config config = {.struct_size = sizeof config, .role = FARPANE_ROLE_HELPER,
                                   .invitation = invitation, .invitation_len = len};
  if (!ok("create", farpane_session_create(&config, &v.session))) return 1;
  int done = headless || open_window(&v);
  v.began_us = now_us();
  done = done && ok("connect", farpane_session_connect(v.session)) &&
         view(&v, frames ? strtoul(frames, NULL, 10) : ULONG_MAX,
              seconds ? strtoul(seconds, NULL, 10) * 1000000 : UINT64_MAX);
  if (done && !v.frame) fprintf(stderr, "helper: no frame came\n");
  done = done && v.frame && (!image || dump(&v, image));
  if (v.frame) farpane_frame_unref(v.frame);
  if (v.gc) XFreeGC(v.display, v.gc);
  if (v.display) XCloseDisplay(v.display);
  return !ok("release", farpane_session_unref(v.session)) || !done;
}
