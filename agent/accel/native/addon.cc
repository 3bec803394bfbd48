// The door from JavaScript, over raw N-API: `kernels()` names what runs here, `load(image, kernel,
// lanes)` gives a function infer(x, y). agent/accel/native.ts has checked the image and the sizes.
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <new>
#include "crew.hpp"
#include "kernels.hpp"
#include "peak.hpp"

namespace {

using sterna::Header;
using sterna::Net;

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, "ERR_STERNA_ACCEL", message);
  return nullptr;
}

void close(napi_env, void* data, void*) {
  Net* net = static_cast<Net*>(data);
  free(const_cast<uint8_t*>(net->image));
  delete net;
}

struct Floats {
  float* data = nullptr;
  size_t length = 0;
  bool good = false;
};

Floats floats(napi_env env, napi_value value) {
  Floats found;
  napi_typedarray_type type;
  void* data;
  const napi_status status =
      napi_get_typedarray_info(env, value, &type, &found.length, &data, nullptr, nullptr);
  found.good = status == napi_ok && type == napi_float32_array;
  found.data = static_cast<float*>(data);
  return found;
}

// A third argument is an asset whose state is forgotten; nothing is inferred then.
napi_value infer(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value args[3];
  void* data;
  if (napi_get_cb_info(env, info, &argc, args, nullptr, &data) != napi_ok || argc < 2) {
    return fail(env, "infer(x, y): two arguments");
  }
  const Net& net = *static_cast<const Net*>(data);
  const Header& h = sterna::header(net);
  if (argc == 3) {
    uint32_t asset = 0;
    const bool known = napi_get_value_uint32(env, args[2], &asset) == napi_ok && asset < h.batch;
    if (!known) return fail(env, "infer(x, y, asset): no such asset");
    sterna::reset(net, asset);
    return nullptr;
  }
  const Floats x = floats(env, args[0]), y = floats(env, args[1]);
  const size_t in = static_cast<size_t>(h.in_channels) * h.in_lines * h.in_length;
  const size_t out = static_cast<size_t>(h.out_channels) * h.out_places;
  if (!x.good || !y.good) return fail(env, "infer(x, y): Float32Arrays");
  // A division only where there is a batch.
  size_t batch = 1;
  if (x.length != in) batch = x.length / in;
  if (batch < 1 || batch > h.batch || x.length != batch * in || y.length != batch * out) {
    return fail(env, "infer(x, y): sizes");
  }
  sterna::infer(net, x.data, y.data, static_cast<uint32_t>(batch));
  return nullptr;
}

const sterna::Kernels* named(const char* name) {
  for (const sterna::Kernels* each : sterna::ALL) {
    if (strcmp(each->name, name) == 0 && each->supported()) return each;
  }
  return nullptr;
}

double now_us() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec * 1e-3;
}

// The best of three inferences of zeros, after one that warms up.
double best_us(const Net& net, const float* x, float* y) {
  double best = 1e300;
  for (int round = 0; round < 4; round++) {
    const double start = now_us();
    sterna::infer(net, x, y, sterna::header(net).batch);
    const double time = now_us() - start;
    if (round > 0 && time < best) best = time;
  }
  return best;
}

// One lane, unless all of them are clearly faster here and now. `wanted` 0 measures.
void choose_lanes(Net& net, uint32_t wanted, uint32_t lanes) {
  const Header& h = sterna::header(net);
  net.crew = {wanted > 0 ? sterna::least(wanted, lanes) : 1, sterna::crew::share};
  if (wanted > 0 || lanes == 1) return;
  const size_t in = static_cast<size_t>(h.in_channels) * h.in_lines * h.in_length * h.batch;
  const size_t out = static_cast<size_t>(h.out_channels) * h.out_places * h.batch;
  float* values = static_cast<float*>(calloc(in + out, sizeof(float)));
  if (values == nullptr) return;
  const double alone = best_us(net, values, values + in);
  net.crew.lanes = lanes;
  const double together = best_us(net, values, values + in);
  if (together > 0.9 * alone) net.crew.lanes = 1;
  free(values);
  memset(net.arena, 0, static_cast<size_t>(h.batch) * h.stride);
}

napi_value load(napi_env env, napi_callback_info info) {
  size_t argc = 3, length = 0, chars = 0;
  napi_value args[3], made;
  napi_typedarray_type type;
  void* bytes;
  char name[32];
  uint32_t wanted = 0;
  if (napi_get_cb_info(env, info, &argc, args, nullptr, nullptr) != napi_ok || argc < 3 ||
      napi_get_typedarray_info(env, args[0], &type, &length, &bytes, nullptr, nullptr) != napi_ok ||
      napi_get_value_string_utf8(env, args[1], name, sizeof name, &chars) != napi_ok ||
      napi_get_value_uint32(env, args[2], &wanted) != napi_ok || type != napi_uint8_array ||
      length < sizeof(Header)) {
    return fail(env, "load(image, kernel, lanes): a Uint8Array, a name and a number");
  }
  Header h;
  memcpy(&h, bytes, sizeof h);
  const sterna::Kernels* kernels = named(name);
  if (kernels == nullptr) return fail(env, "load: this CPU has no such kernel");
  if (h.magic != sterna::MAGIC || h.image_bytes != length) return fail(env, "load: not an image");
  const uint32_t lanes = wanted != 1 && sterna::largest_macs(h, bytes) >= sterna::SHARE_MACS
                             ? sterna::crew::lanes()
                             : 1;
  void* memory = nullptr;
  // Whole cache lines, with room for reads of a whole vector at the very end.
  const size_t all = length + sterna::scratch_bytes(h, lanes);
  if (posix_memalign(&memory, 64, all) != 0) return fail(env, "load: out of memory");
  memset(memory, 0, all);
  memcpy(memory, bytes, length);
  Net* net = new (std::nothrow) Net(sterna::open(static_cast<uint8_t*>(memory), kernels, {1, nullptr}));
  if (net == nullptr) {
    free(memory);
    return fail(env, "load: out of memory");
  }
  choose_lanes(*net, wanted, lanes);
  if (napi_create_function(env, "infer", NAPI_AUTO_LENGTH, infer, net, &made) != napi_ok ||
      napi_add_finalizer(env, made, net, close, nullptr, nullptr) != napi_ok) {
    close(env, net, nullptr);
    return fail(env, "load: the function could not be made");
  }
  return made;
}

napi_value kernels(napi_env env, napi_callback_info) {
  napi_value list, name;
  uint32_t count = 0;
  if (napi_create_array(env, &list) != napi_ok) return nullptr;
  for (const sterna::Kernels* each : sterna::ALL) {
    if (!each->supported()) continue;
    if (napi_create_string_utf8(env, each->name, NAPI_AUTO_LENGTH, &name) != napi_ok) return nullptr;
    if (napi_set_element(env, list, count++, name) != napi_ok) return nullptr;
  }
  return list;
}

// peak(rounds): runs them and gives the multiply-adds done; 0 where this CPU has no such chain.
napi_value peak(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value args[1], made;
  int64_t rounds = 0;
  if (napi_get_cb_info(env, info, &argc, args, nullptr, nullptr) != napi_ok || argc < 1 ||
      napi_get_value_int64(env, args[0], &rounds) != napi_ok || rounds < 1) {
    return fail(env, "peak(rounds): a number above 0");
  }
  double done = 0;
#if defined(__x86_64__)
  if (sterna::avx512::supported()) {
    sterna::peak(rounds);
    done = static_cast<double>(rounds) * sterna::PEAK_MACS;
  }
#endif
  if (napi_create_double(env, done, &made) != napi_ok) return nullptr;
  return made;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback call;
  } made[] = {{"load", load}, {"kernels", kernels}, {"peak", peak}};
  for (const auto& each : made) {
    napi_value function;
    if (napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.call, nullptr, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, each.name, function) != napi_ok) {
      return fail(env, "the addon could not be set up");
    }
  }
  return exports;
}
