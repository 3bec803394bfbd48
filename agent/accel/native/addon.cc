// The door from JavaScript, over raw N-API: `kernels()` names what runs here, `load(image, kernel,
// lanes)` gives a function infer(x, y). agent/accel/native.ts has checked the image and the sizes.
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <new>
#include "crew.hpp"
#include "encoder.hpp"
#include "kernels.hpp"
#include "peak.hpp"

namespace {

using sterna::encoder::Encoder;

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, "ERR_STERNA_ACCEL", message);
  return nullptr;
}

// What a function `infer` computes with: a network, or, where `encoder` is set, an encoder.
struct Loaded {
  uint8_t* memory = nullptr;
  size_t in = 0, out = 0;  // values of one asset or sequence
  uint32_t batch = 0;
  bool encoder = false;
  sterna::Net net{};
  Encoder coder{};
};

void run(const Loaded& loaded, const float* x, float* y, uint32_t batch) {
  if (loaded.encoder) sterna::encoder::infer(loaded.coder, x, y, batch);
  else sterna::infer(loaded.net, x, y, batch);
}

void close(napi_env, void* data, void*) {
  Loaded* loaded = static_cast<Loaded*>(data);
  free(loaded->memory);
  delete loaded;
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

// The state of an asset, its parts one behind another, as far as `room` goes.
void read_state(const sterna::Net& net, uint32_t asset, uint8_t* to, size_t room) {
  const sterna::Header& h = sterna::header(net);
  const sterna::State* states = sterna::part<sterna::State>(net, h.state_at);
  const int8_t* arena = net.arena + static_cast<size_t>(asset) * h.stride;
  for (uint32_t i = 0; i < h.states && states[i].bytes <= room; i++) {
    memcpy(to, arena + states[i].to, states[i].bytes);
    to += states[i].bytes;
    room -= states[i].bytes;
  }
}

// With an asset nothing is inferred: y gets the bytes of its state; without room it is forgotten.
napi_value infer(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value args[3];
  void* data;
  if (napi_get_cb_info(env, info, &argc, args, nullptr, &data) != napi_ok || argc < 2) {
    return fail(env, "infer(x, y): two arguments");
  }
  const Loaded& loaded = *static_cast<const Loaded*>(data);
  if (argc == 3) {
    uint32_t asset = 0;
    const bool known =
        napi_get_value_uint32(env, args[2], &asset) == napi_ok && asset < loaded.batch;
    if (!known) return fail(env, "infer(x, y, asset): no such asset");
    const Floats state = floats(env, args[1]);
    if (!state.good) return fail(env, "infer(x, y, asset): Float32Arrays");
    if (loaded.encoder) return nullptr;
    if (state.length == 0) sterna::reset(loaded.net, asset);
    else read_state(loaded.net, asset, reinterpret_cast<uint8_t*>(state.data), state.length * 4);
    return nullptr;
  }
  const Floats x = floats(env, args[0]), y = floats(env, args[1]);
  if (!x.good || !y.good) return fail(env, "infer(x, y): Float32Arrays");
  // A division only where there is a batch.
  const size_t in = loaded.in, out = loaded.out;
  size_t batch = 1;
  if (x.length != in) batch = x.length / in;
  if (batch < 1 || batch > loaded.batch || x.length != batch * in || y.length != batch * out) {
    return fail(env, "infer(x, y): sizes");
  }
  run(loaded, x.data, y.data, static_cast<uint32_t>(batch));
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
double best_us(const Loaded& loaded, const float* x, float* y) {
  double best = 1e300;
  for (int round = 0; round < 4; round++) {
    const double start = now_us();
    run(loaded, x, y, loaded.batch);
    const double time = now_us() - start;
    if (round > 0 && time < best) best = time;
  }
  return best;
}

// One lane, unless all of them are clearly faster here and now. `wanted` 0 measures.
void choose_lanes(Loaded& loaded, uint32_t wanted, uint32_t lanes) {
  const auto use = [&](uint32_t count) {
    const sterna::Crew crew = {count, sterna::crew::share};
    loaded.net.crew = crew;
    loaded.coder.crew = crew;
  };
  use(wanted > 0 ? sterna::least(wanted, lanes) : 1);
  if (wanted > 0 || lanes == 1) return;
  const size_t in = loaded.in * loaded.batch, out = loaded.out * loaded.batch;
  float* values = static_cast<float*>(calloc(in + out, sizeof(float)));
  if (values == nullptr) return;
  const double alone = best_us(loaded, values, values + in);
  use(lanes);
  const double together = best_us(loaded, values, values + in);
  if (together > 0.9 * alone) use(1);
  free(values);
  if (loaded.encoder) return;
  // What a measurement left must not be the state of an asset.
  const sterna::Header& h = sterna::header(loaded.net);
  memset(loaded.net.arena, 0, static_cast<size_t>(h.batch) * h.stride);
}

// The arguments of both kinds of load.
struct Image {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  const sterna::Kernels* kernels = nullptr;
  uint32_t lanes = 0;
};

// False when an error has been thrown.
bool image_of(napi_env env, napi_callback_info info, size_t header_bytes, Image& image) {
  size_t argc = 3, chars = 0;
  napi_value args[3];
  napi_typedarray_type type;
  void* bytes;
  char name[32];
  if (napi_get_cb_info(env, info, &argc, args, nullptr, nullptr) != napi_ok || argc < 3 ||
      napi_get_typedarray_info(env, args[0], &type, &image.length, &bytes, nullptr, nullptr) !=
          napi_ok ||
      napi_get_value_string_utf8(env, args[1], name, sizeof name, &chars) != napi_ok ||
      napi_get_value_uint32(env, args[2], &image.lanes) != napi_ok || type != napi_uint8_array ||
      image.length < header_bytes) {
    fail(env, "load(image, kernel, lanes): a Uint8Array, a name and a number");
    return false;
  }
  image.bytes = static_cast<const uint8_t*>(bytes);
  image.kernels = named(name);
  if (image.kernels == nullptr) fail(env, "load: this CPU has no such kernel");
  return image.kernels != nullptr;
}

// Memory of whole cache lines, zero behind the image.
uint8_t* memory_for(const Image& image, size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, 64, bytes) != 0) return nullptr;
  memset(memory, 0, bytes);
  memcpy(memory, image.bytes, image.length);
  return static_cast<uint8_t*>(memory);
}

napi_value made_function(napi_env env, Loaded* loaded) {
  napi_value made;
  if (napi_create_function(env, "infer", NAPI_AUTO_LENGTH, infer, loaded, &made) == napi_ok &&
      napi_add_finalizer(env, made, loaded, close, nullptr, nullptr) == napi_ok) {
    return made;
  }
  close(env, loaded, nullptr);
  return fail(env, "load: the function could not be made");
}

napi_value load(napi_env env, napi_callback_info info) {
  Image image;
  if (!image_of(env, info, sizeof(sterna::Header), image)) return nullptr;
  sterna::Header h;
  memcpy(&h, image.bytes, sizeof h);
  if (h.magic != sterna::MAGIC || h.image_bytes != image.length) {
    return fail(env, "load: not an image");
  }
  const bool large =
      image.lanes != 1 && sterna::largest_macs(h, image.bytes) >= sterna::SHARE_MACS;
  const uint32_t lanes = large ? sterna::crew::lanes() : 1;
  uint8_t* memory = memory_for(image, image.length + sterna::scratch_bytes(h, lanes));
  Loaded* loaded = new (std::nothrow) Loaded;
  if (memory == nullptr || loaded == nullptr) {
    free(memory);
    delete loaded;
    return fail(env, "load: out of memory");
  }
  loaded->memory = memory;
  loaded->in = static_cast<size_t>(h.in_channels) * h.in_lines * h.in_length;
  loaded->out = static_cast<size_t>(h.out_channels) * h.out_places;
  loaded->batch = h.batch;
  loaded->net = sterna::open(memory, image.kernels, {1, nullptr});
  choose_lanes(*loaded, image.lanes, lanes);
  return made_function(env, loaded);
}

napi_value load_encoder(napi_env env, napi_callback_info info) {
  Image image;
  if (!image_of(env, info, sizeof(sterna::encoder::Header), image)) return nullptr;
  sterna::encoder::Header h;
  memcpy(&h, image.bytes, sizeof h);
  if (h.magic != sterna::encoder::MAGIC || h.image_bytes != image.length) {
    return fail(env, "load: not the image of an encoder");
  }
  const uint64_t macs = static_cast<uint64_t>(h.sequence) * h.width * h.hidden;
  const uint32_t lanes =
      image.lanes != 1 && macs >= sterna::SHARE_MACS ? sterna::crew::lanes() : 1;
  Loaded* loaded = new (std::nothrow) Loaded;
  uint8_t* memory = loaded == nullptr ? nullptr
                                      : memory_for(image, sterna::encoder::lay_out(
                                                              loaded->coder, nullptr, h, lanes));
  if (memory == nullptr) {
    delete loaded;
    return fail(env, "load: out of memory");
  }
  sterna::encoder::lay_out(loaded->coder, memory, h, lanes);
  loaded->coder.image = memory;
  loaded->coder.kernels = image.kernels;
  loaded->coder.floats = &sterna::floats::functions_of(*image.kernels);
  loaded->memory = memory;
  loaded->out = static_cast<size_t>(h.sequence) * h.width;
  loaded->in = loaded->out + (h.form & sterna::encoder::MASKED ? h.sequence : 0);
  loaded->batch = h.batch;
  loaded->encoder = true;
  choose_lanes(*loaded, image.lanes, lanes);
  return made_function(env, loaded);
}

napi_value kernels(napi_env env, napi_callback_info) {
  napi_value list, name;
  uint32_t count = 0;
  if (napi_create_array(env, &list) != napi_ok) return nullptr;
  for (const sterna::Kernels* each : sterna::ALL) {
    if (!each->supported()) continue;
    if (napi_create_string_utf8(env, each->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_set_element(env, list, count++, name) != napi_ok) {
      return nullptr;
    }
  }
  return list;
}

// peak(rounds): runs them and gives the multiply-adds done; 0 where this CPU has no such chain.
napi_value peak(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value args[1], made;
  int64_t rounds = 0;
  if (napi_get_cb_info(env, info, &argc, args, nullptr, nullptr) != napi_ok || argc < 1 ||
      napi_get_value_int64(env, args[0], &rounds) != napi_ok || rounds < 1 ||
      rounds > 100000000) {
    return fail(env, "peak(rounds): a number from 1 to 100,000,000");
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
  } made[] = {
      {"load", load}, {"loadEncoder", load_encoder}, {"kernels", kernels}, {"peak", peak}};
  for (const auto& each : made) {
    napi_value function;
    if (napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.call, nullptr, &function) !=
            napi_ok ||
        napi_set_named_property(env, exports, each.name, function) != napi_ok) {
      return fail(env, "the addon could not be set up");
    }
  }
  napi_value layout;
  if (napi_create_uint32(env, sterna::LAYOUT, &layout) != napi_ok ||
      napi_set_named_property(env, exports, "layout", layout) != napi_ok) {
    return fail(env, "the addon could not be set up");
  }
  return exports;
}
