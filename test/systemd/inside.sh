#!/bin/bash
# Runs inside a throw-away systemd as root: the service against a real broker through ready, kill -9,
# a hang, a stop and a config fault. Prints one "name=value" a line; service.test.ts asserts them.
# shellcheck disable=SC2317 # what "await" calls by name
set -u
unit=sterna.service
told=/srv/events
fact() { echo "$1=$2"; }
property() { systemctl show "$unit" -p "$1" --value; }
# Until the command succeeds, for at most 30 s; what was awaited is a fact as well.
await() {
  local name=$1
  shift
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then
      fact "$name" yes
      return
    fi
    sleep 0.1
  done
  fact "$name" no
}
restarted() { [ "$(property NRestarts)" -ge "$1" ] && [ "$(property ActiveState)" = active ]; }
told_of() { grep -q "\"transition\":\"$1\"" "$told"; }
as_plant=(-h 127.0.0.1 -p 1883 -u plant -P plant-secret)

# As on a real machine, where systemd does it: without it a credential's mount is not seen.
mount --make-rshared /
mkdir -p /etc/sterna/credentials /etc/systemd/system/sterna.service.d
printf 'gateway-secret\n' >/etc/sterna/credentials/mqtt
chmod 600 /etc/sterna/credentials/mqtt
# Shorter than in production, so that the test does not wait for half a minute.
printf '[Service]\nWatchdogSec=3s\nRestartSec=100ms\n' >/etc/systemd/system/sterna.service.d/test.conf
cat >/etc/sterna/sterna.yaml <<'YAML'
gateway: { id: gw-1, site: demo }
mqtt: { url: "mqtt://127.0.0.1:1883", username: sterna, passwordCredential: mqtt }
assets:
  - id: line3
    channels: { current: { mqtt: plant/line3/current, path: $.v, unit: A } }
    rules:
      - { id: over, when: "current > 16 A", clear: "current < 15 A", severity: critical }
YAML
systemctl daemon-reload

# The broker refuses who has no password, so what arrives proves the credential.
mosquitto_passwd -c -b /srv/passwords sterna gateway-secret
mosquitto_passwd -b /srv/passwords plant plant-secret
chmod 644 /srv/passwords
printf 'listener 1883 127.0.0.1\npassword_file /srv/passwords\n' >/srv/mosquitto.conf
mosquitto -c /srv/mosquitto.conf >/srv/mosquitto.log 2>&1 &
await broker mosquitto_pub "${as_plant[@]}" -t probe -m up
mosquitto_sub "${as_plant[@]}" -q 1 -t 'sterna/v1/demo/line3/alarm/over/event' -t hello >"$told" &
# An event is not retained: whoever is to hear it must have subscribed.
hears() { mosquitto_pub "${as_plant[@]}" -t hello -m hello && grep -q hello "$told"; }
await listener hears

systemctl start "$unit"
fact start "$?"
fact ready "$(systemctl is-active "$unit")"
fact status "$(property StatusText)"
pid=$(property MainPID)
if [ "$(property ActiveState)" != active ]; then
  journalctl -u "$unit" --no-pager -o cat
  exit 1
fi
fact uid "$(awk '/^Uid:/ { print ($2 == 0 ? "root" : "not root") }' "/proc/$pid/status")"
fact capabilities "$(awk '/^CapEff:/ { print $2 }' "/proc/$pid/status")"
fact no_new_privileges "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")"
fact system_calls "$(awk '/^Seccomp:/ { print ($2 == 2 ? "filtered" : "open") }' "/proc/$pid/status")"
# The root directory as the service sees it.
sees=/proc/$pid/root
fact program "$([ -r "$sees/opt/sterna/current/dist/agent/main.js" ] && echo seen)"
fact listed_homes "$(find "$sees/root" "$sees/home" -mindepth 1 2>/dev/null | wc -l)"

ask() {
  exec 3<>/dev/tcp/127.0.0.1/9470
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  head -1 <&3 | tr -d '\r'
}
fact page "$(ask /)"

raise() { mosquitto_pub "${as_plant[@]}" -t plant/line3/current -m '{"v":20}' && told_of raise; }
await raised raise

kill -KILL "$pid"
await killed_restarted restarted 1
fact after_kill "$(property NRestarts)"
# Only an agent that still has the alarm can clear it.
clear_it() { mosquitto_pub "${as_plant[@]}" -t plant/line3/current -m '{"v":10}' && told_of clear; }
await cleared clear_it
fact events "$(grep -v hello "$told" | tr '\n' ',')"

# Fed for longer than the period it is left alone; then the program stands still.
sleep 4
fact fed "$(property NRestarts)"
kill -STOP "$(property MainPID)"
await hang_restarted restarted 2
fact after_hang "$(property NRestarts)"

systemctl stop "$unit"
fact stop "$?"
fact stop_result "$(property Result)"
fact stop_status "$(property ExecMainStatus)"

sed -i 's/current > 16 A/current > 16 V/' /etc/sterna/sterna.yaml
systemctl start "$unit" || fact fault_start refused
sleep 1
fact fault_state "$(property ActiveState)"
fact fault_status "$(property ExecMainStatus)"
fact fault_restarts "$(property NRestarts)"
fact fault_said "$(journalctl -u "$unit" --no-pager -o cat | grep 'sterna.yaml:' | tail -1)"
exit 0
