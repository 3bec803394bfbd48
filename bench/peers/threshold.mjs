// The script that people write instead: one threshold over MQTT, at its own best settings.
import mqtt from "mqtt";

const [url] = process.argv.slice(2);
const client = mqtt.connect(url);
const raised = new Map();
client.on("connect", () => {
  client.stream.setNoDelay(true);
  client.subscribe("bench/+", { qos: 0 });
});
client.on("message", (topic, payload) => {
  const { v, ts } = JSON.parse(payload.toString());
  const name = topic.slice(6);
  for (const value of Array.isArray(v) ? v : [v]) {
    const active = value > 15;
    if (active === (raised.get(name) ?? false)) continue;
    raised.set(name, active);
    const alarm = JSON.stringify({ id: `${name}-${ts}`, active, value, limit: 15, ts });
    client.publish(`sterna/v1/bench/line/alarm/over-${name}/event`, alarm, { qos: 1 });
  }
});
