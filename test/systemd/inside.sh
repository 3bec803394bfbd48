#!/bin/bash
# Runs as root under a real systemd. Prints one line a finding; the test compares them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
state() { systemctl show sterna -P "$1"; }
wait_for() { for _ in $(seq 200); do eval "$1" && return 0; sleep 0.1; done; echo "TIMEOUT $1"; return 1; }
alarms() { mosquitto_sub -h 127.0.0.1 -t 'sterna/v1/north/line3/alarm/over/state' -C 1 -W 10; }

mosquitto -d -c /opt/broker.conf 2>/dev/null
systemctl daemon-reload

systemctl start sterna
echo "start: $(state ActiveState) $(state SubState), $(state StatusText)"
echo "user: $([ "$(ps -o user= -p "$(state MainPID)")" = root ] && echo root || echo own)"
echo "health: $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9470/healthz)"

# An alarm that is raised before kill -9 is known to the next life.
until mosquitto_pub -h 127.0.0.1 -q 1 -t plant/line3/current -m 20 && alarms | grep -q '"active":true'; do sleep 0.2; done
first=$(state MainPID)
kill -9 "$first"
wait_for '[ "$(state MainPID)" != "$first" ] && [ "$(state SubState)" = running ]'
echo "kill -9: $(state SubState) after $(state NRestarts) restart(s)"
until mosquitto_pub -h 127.0.0.1 -q 1 -t plant/line3/current -m 10 && alarms | grep -q '"active":false'; do sleep 0.2; done
echo "state: $(alarms | sed 's/.*"seq":\([0-9]*\),"active":\([a-z]*\).*/seq \1 active \2/')"

# A stopped process answers nothing: the watchdog ends it. Shorter than in the unit, to be quick.
second=$(state MainPID)
kill -STOP "$second"
wait_for '[ "$(state MainPID)" != "$second" ] && [ "$(state SubState)" = running ]'
echo "hang: $(state SubState) after $(state NRestarts) restart(s)"

systemctl stop sterna
echo "stop: $(state ActiveState), result $(state Result), exit $(state ExecMainStatus)"

sed -i 's/16 A/16 V/' /etc/sterna/sterna.yaml
systemctl start sterna 2>/dev/null && echo "a config with a fault started"
echo "config fault: $(state ActiveState), exit $(state ExecMainStatus), $(state NRestarts) restart(s)"
journalctl -u sterna --no-pager -o cat | grep -o '/etc/sterna/sterna.yaml:.*' | head -1
