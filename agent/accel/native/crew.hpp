// Threads for the few networks that are large enough. One crew a process, made when the first such
// network is loaded and never taken down: threads that sleep in a futex hinder no exit, and the
// addon is linked so that it stays in memory (-z nodelete) when a worker thread of Node ends.
// A lane spins a while before it sleeps, never for ever. Parts are taken one by one, so a lane that
// comes late, because the machine is busy, costs nothing: the others have done its parts by then.
// Each lane begins with the parts that it had in the last job, for what they read is still in the
// cache of its core.
#pragma once
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <atomic>
#include <new>
#include "layout.hpp"

namespace sterna::crew {

constexpr uint32_t LANES_MAX = 8;
constexpr uint32_t SPINS = 4000;  // some 40 us
constexpr uint32_t CLOSED = 0xffffffff;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

inline void sleep_while(std::atomic<uint32_t>& word, uint32_t value) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr,
          nullptr, 0);
}

inline void wake(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, LANES_MAX, nullptr,
          nullptr, 0);
}

struct alignas(64) Ticket {
  std::atomic<uint64_t> next{CLOSED};
};

struct State {
  // For each lane the number of the job in the upper half, and in the lower how many of its parts
  // are taken: CLOSED between jobs. What a job consists of is written while all are closed, so a
  // lane that read half an old and half a new job fails to take a part.
  Ticket tickets[LANES_MAX];
  alignas(64) std::atomic<uint32_t> number{0}, lanes{0}, parts{0};
  std::atomic<Work> work{nullptr};
  std::atomic<const void*> job{nullptr};
  std::atomic<bool> back{false};
  // Written while a job is done, in a line apart from what says which it is.
  alignas(64) std::atomic<uint32_t> done{0}, sleepers{0};
  std::atomic<bool> busy{false}, waiting{false};
  uint32_t threads = 0;
};

// Does what is left of the parts of lane `owner` in job `number`, and gives how many that were.
inline uint32_t take_parts(State& s, uint32_t number, uint32_t lane, uint32_t owner) {
  std::atomic<uint64_t>& next = s.tickets[owner].next;
  uint64_t ticket = next.load(std::memory_order_acquire);
  uint32_t count = 0;
  while (static_cast<uint32_t>(ticket >> 32) == number) {
    const uint32_t taken = static_cast<uint32_t>(ticket);
    const Work work = s.work.load(std::memory_order_acquire);
    const void* job = s.job.load(std::memory_order_acquire);
    const uint32_t parts = s.parts.load(std::memory_order_acquire);
    const uint32_t lanes = s.lanes.load(std::memory_order_acquire);
    const bool back = s.back.load(std::memory_order_acquire);
    const uint32_t begin = begin_of(parts, owner, lanes), end = begin_of(parts, owner + 1, lanes);
    if (taken >= end - begin || owner >= lanes) break;
    if (!next.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    work(job, back ? end - 1 - taken : begin + taken, lane);
    count++;
    ticket = next.load(std::memory_order_acquire);
  }
  return count;
}

// Its own parts, then those of lanes that are late.
inline void take_all(State& s, uint32_t number, uint32_t lane) {
  const uint32_t lanes = s.lanes.load(std::memory_order_acquire);
  uint32_t count = 0;
  for (uint32_t i = 0; i < lanes && lane < lanes; i++) {
    count += take_parts(s, number, lane, (lane + i) % lanes);
  }
  if (count == 0) return;
  // A job with a part that is not counted stands still.
  const uint32_t parts = s.parts.load(std::memory_order_acquire);
  if (s.done.fetch_add(count) + count == parts && s.waiting.load()) wake(s.done);
}

inline void set_tickets(State& s, uint64_t number, uint32_t lower) {
  for (Ticket& each : s.tickets) {
    each.next.store(number << 32 | lower, std::memory_order_release);
  }
}

struct Lane {
  State* state;
  uint32_t index;
};

inline void* run_lane(void* data) {
  const Lane lane = *static_cast<Lane*>(data);
  delete static_cast<Lane*>(data);
  State& s = *lane.state;
  uint32_t seen = 0;
  for (;;) {
    uint32_t number = s.number.load(std::memory_order_acquire);
    for (uint32_t spin = 0; number == seen && spin < SPINS; spin++) {
      pause();
      number = s.number.load(std::memory_order_acquire);
    }
    if (number == seen) {
      s.sleepers.fetch_add(1);
      sleep_while(s.number, seen);
      s.sleepers.fetch_sub(1);
      continue;
    }
    seen = number;
    take_all(s, number, lane.index);
  }
  return nullptr;
}

inline uint32_t cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return least(LANES_MAX, static_cast<uint32_t>(CPU_COUNT(&set)));
}

// Null where no thread could be started. Never freed: its threads use it until the process ends.
inline State* state() {
  static State* const made = []() -> State* {
    State* s = new (std::nothrow) State;
    if (s == nullptr) return nullptr;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    // Signals are for the threads of Node.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 1; i < cores(); i++) {
      Lane* lane = new (std::nothrow) Lane{s, i};
      pthread_t thread;
      if (lane == nullptr || pthread_create(&thread, &attributes, run_lane, lane) != 0) {
        delete lane;
        break;
      }
      s->threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    return s;
  }();
  return made;
}

// Lanes that are to be had, the caller's among them; starts the threads.
inline uint32_t lanes() {
  const State* s = state();
  return s == nullptr ? 1 : s->threads + 1;
}

inline void share(uint32_t lanes, uint32_t parts, Work work, const void* job, bool back) {
  State* s = state();
  if (s == nullptr || s->busy.exchange(true, std::memory_order_acquire)) {
    // Another thread of Node has the crew: work alone rather than wait.
    for (uint32_t i = 0; i < parts; i++) work(job, i, 0);
    return;
  }
  uint32_t number = s->number.load(std::memory_order_relaxed) + 1;
  s->lanes.store(lanes, std::memory_order_release);
  s->parts.store(parts, std::memory_order_release);
  s->work.store(work, std::memory_order_release);
  s->job.store(job, std::memory_order_release);
  s->back.store(back, std::memory_order_release);
  s->done.store(0);
  set_tickets(*s, number, 0);
  s->number.store(number);
  if (s->sleepers.load() > 0) wake(s->number);
  take_all(*s, number, 0);
  uint32_t done = s->done.load();
  for (uint32_t spin = 0; done != parts && spin < SPINS; spin++) {
    pause();
    done = s->done.load();
  }
  while (done != parts) {
    s->waiting.store(true);
    done = s->done.load();
    if (done != parts) sleep_while(s->done, done);
    done = s->done.load();
  }
  s->waiting.store(false);
  set_tickets(*s, number, CLOSED);
  s->busy.store(false, std::memory_order_release);
}

}  // namespace sterna::crew
