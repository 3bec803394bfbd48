// A libedgetpu that has no silicon: its delegate is a real one of TensorFlow Lite and claims no
// operator, so that TensorFlow Lite computes all. STUB_FILE says how it behaves, word by word:
// "none", "busy", "prepare" (the delegate fails), "hang" (an inference waits), "fail" (it fails).
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct TfLiteDelegate {
  void *data;
  int (*Prepare)(void *, struct TfLiteDelegate *);
  int (*CopyFrom)(void);
  int (*CopyTo)(void);
  void (*Free)(void);
  int64_t flags;
  void *more[4];
} Delegate;

struct edgetpu_device {
  int type;
  const char *path;
};

static int says(const char *word) {
  char text[256] = {0};
  FILE *file = fopen(STUB_FILE, "r");
  if (!file) return 0;
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  return size > 0 && strstr(text, word) != NULL;
}

static int prepare(void *context, Delegate *delegate) {
  (void)context;
  (void)delegate;
  return says("prepare") ? 1 : 0;
}

struct edgetpu_device *edgetpu_list_devices(size_t *count) {
  *count = says("none") ? 0 : 1;
  struct edgetpu_device *devices = calloc(1, sizeof *devices);
  devices[0].type = says("usb") ? 1 : 0;
  devices[0].path = says("usb") ? "/sys/bus/usb/devices/1-1" : "/dev/apex_0";
  return devices;
}

void edgetpu_free_devices(struct edgetpu_device *devices) { free(devices); }

Delegate *edgetpu_create_delegate(int type, const char *path, const void *options, size_t count) {
  (void)type;
  (void)path;
  (void)options;
  (void)count;
  if (says("busy")) return NULL;
  Delegate *delegate = calloc(1, sizeof *delegate);
  delegate->Prepare = prepare;
  return delegate;
}

void edgetpu_free_delegate(Delegate *delegate) { free(delegate); }
const char *edgetpu_version(void) { return "STUB"; }

#ifdef STUB_TFLITE
// As libtensorflowlite_c this passes all calls on to the real one, but for what STUB_FILE says.
#include <dlfcn.h>
static void *real(const char *name) {
  static void *library;
  if (!library) library = dlopen(STUB_TFLITE, RTLD_NOW | RTLD_LOCAL);
  return dlsym(library, name);
}
#define PASS0(type, name) type name(void) { return ((type(*)(void))real(#name))(); }
#define PASS1(type, name) type name(void *a) { return ((type(*)(void *))real(#name))(a); }
#define PASS2(type, name, second) \
  type name(void *a, second b) { return ((type(*)(void *, second))real(#name))(a, b); }
const char *TfLiteVersion(void) {
  return says("old") ? "1.15.0" : ((const char *(*)(void))real("TfLiteVersion"))();
}
int TfLiteInterpreterInvoke(void *a) {
  if (says("fail")) return 1;
  if (says("hang")) usleep(1500000);
  int status = ((int (*)(void *))real("TfLiteInterpreterInvoke"))(a);
  if (!says("wrong")) return status;
  void *y = ((void *(*)(void *, int))real("TfLiteInterpreterGetOutputTensor"))(a, 0);
  size_t size = ((size_t(*)(void *))real("TfLiteTensorByteSize"))(y);
  memset(((void *(*)(void *))real("TfLiteTensorData"))(y), 0x55, size);
  return status;
}
PASS2(void *, TfLiteModelCreate, size_t)
PASS1(void, TfLiteModelDelete)
PASS0(void *, TfLiteInterpreterOptionsCreate)
PASS1(void, TfLiteInterpreterOptionsDelete)
PASS2(void, TfLiteInterpreterOptionsSetNumThreads, int)
PASS2(void, TfLiteInterpreterOptionsAddDelegate, void *)
PASS2(void *, TfLiteInterpreterCreate, void *)
PASS1(void, TfLiteInterpreterDelete)
PASS1(int, TfLiteInterpreterAllocateTensors)
PASS1(int, TfLiteInterpreterGetInputTensorCount)
PASS1(int, TfLiteInterpreterGetOutputTensorCount)
PASS2(void *, TfLiteInterpreterGetInputTensor, int)
PASS2(void *, TfLiteInterpreterGetOutputTensor, int)
PASS1(int, TfLiteTensorType)
PASS1(size_t, TfLiteTensorByteSize)
PASS1(void *, TfLiteTensorData)
PASS1(const char *, TfLiteTensorName)
#endif
