{
  "targets": [
    {
      "target_name": "sterna_accel",
      "ldflags": ["-Wl,-z,nodelete", "-pthread"],
      "sources": ["agent/accel/native/addon.cc"],
      "cflags_cc!": ["-std=gnu++20", "-std=gnu++17", "-frtti"],
      "cflags_cc": [
        "-std=c++17",
        "-O3",
        "-fvisibility=hidden",
        "-ffp-contract=off",
        "-fno-exceptions",
        "-fno-rtti",
        "-Wall",
        "-Wno-uninitialized",
        "-Wno-maybe-uninitialized",
        "-Wno-psabi"
      ]
    }
  ]
}
