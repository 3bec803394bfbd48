//! Where the simulated drone wants to be: it hovers, climbs, flies a round, and goes home for a
//! fresh battery when the charge runs low, for ever.

export type Mission = {
  /** Position wanted in m (x forward, y left, z up from take-off), and speed towards it. */
  readonly target: { x: number; y: number; z: number };
  speed_mps: number;
  /** True while standing with stopped motors. */
  parked: boolean;
  /** Set for one step when a fresh battery was put in. */
  swapped: boolean;
  advance(dt_s: number, at: Position, soc: number, lost: boolean): void;
};

export type Position = { readonly x: number; readonly y: number; readonly z: number };

type Leg = Position & { readonly speed_mps: number; readonly dwell_s: number };

const ROUND: readonly Leg[] = [
  { x: 0, y: 0, z: 30, speed_mps: 4, dwell_s: 60 },
  { x: 0, y: 0, z: 60, speed_mps: 4, dwell_s: 5 },
  { x: 200, y: 0, z: 60, speed_mps: 8, dwell_s: 2 },
  { x: 200, y: 150, z: 60, speed_mps: 8, dwell_s: 20 },
  { x: 0, y: 150, z: 40, speed_mps: 6, dwell_s: 2 },
  { x: 0, y: 0, z: 40, speed_mps: 6, dwell_s: 5 },
];
const LOW_CHARGE = 0.3; // goes home here, to land with a reserve of 0.2
const SWAP_s = 30;
const NEAR_m = 1.5;

export function createMission(): Mission {
  let leg = 0;
  let dwelt_s = 0;
  let phase: "round" | "home" | "land" | "swap" | "lost" = "round";

  const mission: Mission = {
    target: { ...(ROUND[0] as Leg) },
    speed_mps: 4,
    parked: false,
    swapped: false,
    advance(dt_s, at, soc, lost) {
      mission.swapped = false;
      if (lost) phase = "lost";
      else if (phase === "round" && soc < LOW_CHARGE) phase = "home";
      const { target } = mission;
      const near = Math.hypot(at.x - target.x, at.y - target.y, at.z - target.z) < NEAR_m;
      if (phase === "round") {
        if (near) dwelt_s += dt_s;
        const now = ROUND[leg % ROUND.length] as Leg;
        if (near && dwelt_s >= now.dwell_s) go((leg + 1) % ROUND.length);
      } else if (phase === "home") {
        Object.assign(target, { x: 0, y: 0, z: 30 });
        mission.speed_mps = 8;
        if (near && at.z > 28) phase = "land";
      } else if (phase === "land" || phase === "lost") {
        target.z = at.z - 1;
        if (at.z > 0.01) return;
        mission.parked = true;
        if (phase === "land") phase = "swap";
        dwelt_s = 0;
      } else {
        dwelt_s += dt_s;
        if (dwelt_s < SWAP_s) return;
        mission.swapped = true;
        mission.parked = false;
        phase = "round";
        go(0);
      }
    },
  };

  function go(to: number): void {
    leg = to;
    dwelt_s = 0;
    const { x, y, z, speed_mps } = ROUND[to] as Leg;
    Object.assign(mission.target, { x, y, z });
    mission.speed_mps = speed_mps;
  }

  return mission;
}
