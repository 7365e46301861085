// Whatever moment Keyfob is killed at, what it acknowledged is there. KILLS says how often, SEED repeats a run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { killAndRead } from "./kill.mjs";

const KILLS = Number(process.env.KILLS ?? 10);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 32);

test(`killed ${KILLS} times while 16 clients write, it has lost nothing that it acknowledged (SEED=${SEED})`, async (context) => {
  const say = (line) => context.diagnostic(line);
  const counts = await killAndRead({ kills: KILLS, seed: SEED, say });
  assert.deepEqual([counts.kills, counts.lost, counts.unreadable], [KILLS, 0, 0]);
  assert.ok(counts.acknowledged >= KILLS, JSON.stringify(counts));
});
