#!/bin/sh
# Installs or upgrades Sterna as a service from the tarball that `npm pack` makes. Safe to run again.
#   sh install.sh [--dry-run] [--devices "spidev uio apex usb"] sterna-VERSION.tgz
#   DESTDIR=/some/root sh install.sh TARBALL     the same tree below another root, nothing started
# Each version has its folder under /opt/sterna; "current" points at the one that runs. It never
# touches a config that is there, nor the state, and never enables or starts a stopped service.
set -eu
umask 022

dry=no
devices=
while :; do
  case ${1-} in
    --dry-run) dry=yes ;;
    --devices)
      devices=${2-}
      [ $# -lt 2 ] || shift
      ;;
    *) break ;;
  esac
  shift
done
tarball=${1-}
root=${DESTDIR-}
base=$root/opt/sterna
config=$root/etc/sterna
unit=$root/etc/systemd/system/sterna.service
command=$root/usr/local/bin/sterna

say() { printf '%s\n' "$*"; }
fail() {
  say "install.sh: $*" >&2
  exit 1
}
# What changes the machine goes through here, so that --dry-run shows all of it.
run() {
  say "  $*"
  [ "$dry" = yes ] || "$@"
}
# The same for a file with this content.
write() {
  say "  write $1"
  [ "$dry" = yes ] || printf '%s\n' "$2" >"$1"
}

for device in $devices; do
  case $device in
    spidev | uio | apex | usb) ;;
    *) fail "there is no drop-in for \"$device\"; write --devices with some of spidev, uio, apex, usb" ;;
  esac
done
[ -n "$tarball" ] || fail "name the tarball: sh install.sh [--dry-run] sterna-VERSION.tgz"
[ -r "$tarball" ] || fail "cannot read $tarball"
[ "$(uname -s)" = Linux ] || fail "this is $(uname -s); the service needs Linux with systemd"
case $(uname -m) in
  x86_64 | aarch64) ;;
  *) fail "there is no packaged Node for $(uname -m), only for x86_64 and aarch64" ;;
esac
[ -n "$root" ] || [ "$dry" = yes ] || [ "$(id -u)" = 0 ] || fail "run it as root (sudo)"
manifest=$(tar -xzOf "$tarball" package/package.json) || fail "$tarball is no npm package"
version=$(say "$manifest" | sed -n 's/^  "version": "\([0-9][0-9A-Za-z.+-]*\)",*$/\1/p')
say "$manifest" | grep -q '^  "name": "sterna",*$' || fail "$tarball is not Sterna"
[ -n "$version" ] || fail "$tarball states no version"

new=$base/$version
part=$base/.$version.part
before=$(readlink "$base/current" || true)

if [ -d "$new" ]; then
  say "Sterna $version is already in $new (remove it to install it again)"
else
  command -v npm >/dev/null || fail "npm is missing: apt-get install npm, or see docs/install.md"
  say "Sterna $version into $new:"
  run rm -rf "$part"
  run mkdir -p "$part"
  run tar -xzf "$tarball" -C "$part" --strip-components=1 --no-same-owner
  # No install script of any package runs. A shrinkwrap in the tarball fixes every version and hash.
  how=install
  if tar -tzf "$tarball" package/npm-shrinkwrap.json >/dev/null 2>&1; then how=ci; fi
  run npm --prefix "$part" "$how" --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
  # Tools of development and libraries of other systems: some 300 MB that a gateway has no use for.
  run rm -rf "$part/node_modules/@biomejs"
  for other in "$part"/node_modules/onnxruntime-node/bin/*/darwin \
    "$part"/node_modules/onnxruntime-node/bin/*/win32; do
    if [ -d "$other" ]; then run rm -rf "$other"; fi
  done
  run chmod -R go+rX,go-w "$part"
  if [ "$dry" = no ]; then
    said=$("$part/node_modules/.bin/node" "$part/dist/agent/main.js" --version) ||
      fail "the new version does not start; nothing was switched"
    [ "$said" = "$version" ] || fail "it says to be $said, not $version; nothing was switched"
  fi
  run mv -T "$part" "$new"
fi

run mkdir -p "$config/credentials" "$(dirname "$unit")" "$(dirname "$command")"
run chmod 700 "$config/credentials"
if [ -e "$config/sterna.yaml" ]; then
  # A config that the new version refuses must not stop a service that runs.
  if [ "$dry" = no ]; then
    CREDENTIALS_DIRECTORY=$config/credentials "$new/node_modules/.bin/node" "$new/dist/agent/main.js" \
      check "$config/sterna.yaml" ||
      fail "version $version refuses this config; ${before:-nothing} stays current"
  fi
else
  run cp "$new/config/examples/threshold.yaml" "$config/sterna.yaml"
  run chmod 644 "$config/sterna.yaml"
fi

# By hand, a command reads the secrets where systemd takes them from; that needs root.
write "$command" "#!/bin/sh
export CREDENTIALS_DIRECTORY=\"\${CREDENTIALS_DIRECTORY:-/etc/sterna/credentials}\"
exec /opt/sterna/current/node_modules/.bin/node /opt/sterna/current/dist/agent/main.js \"\$@\""
run chmod 755 "$command"
run cp "$new/systemd/sterna.service" "$unit"
run chmod 644 "$unit"
# Accelerators, when asked for: who may use them, and a hole in the sandbox for each. Never taken back.
for device in $devices; do
  run mkdir -p "$unit.d"
  run cp "$new/systemd/devices/$device.conf" "$unit.d/accel-$device.conf"
  run chmod 644 "$unit.d/accel-$device.conf"
done
if [ -n "$devices" ]; then
  rules=$root/etc/udev/rules.d/99-sterna-accel.rules
  users=$root/etc/sysusers.d/sterna-accel.conf
  run mkdir -p "$(dirname "$rules")" "$(dirname "$users")"
  run cp "$new/systemd/devices/sterna-accel.rules" "$rules"
  run cp "$new/systemd/devices/sysusers.conf" "$users"
  run chmod 644 "$rules" "$users"
  if [ -z "$root" ]; then
    run systemd-sysusers "$users"
    run udevadm control --reload
    run udevadm trigger
  fi
fi
# Renamed into place: there is no moment without a current version.
run ln -sfn "$version" "$base/current.new"
run mv -T "$base/current.new" "$base/current"

if [ -z "$root" ]; then
  run systemctl daemon-reload
  run systemctl try-restart sterna.service
fi
[ "$before" != "$version" ] || before=
say "Sterna $version is installed${before:+ (before: $before)}."
if [ -z "$root" ] && ! systemctl --quiet is-enabled sterna.service 2>/dev/null; then
  say "Next: edit /etc/sterna/sterna.yaml, then"
  say "  sudo sterna check /etc/sterna/sterna.yaml && sudo systemctl enable --now sterna"
fi
