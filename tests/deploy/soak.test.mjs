// `make soak`, with a cargo that only plays one: which schedules run, where a stopped soak goes on, and that none passes
// without having run.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterEach, beforeEach, test } from "node:test";

const SCRIPT = resolve("scripts/soak.sh");

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyfob-soak-"));
  mkdirSync(join(folder, "bin"));
  const cargo = join(folder, "bin", "cargo");
  writeFileSync(cargo, '#!/bin/sh\necho "$FIRST+$SCHEDULES" >> runs\n[ "$FIRST" != "$FAIL_AT" ]\n');
  chmodSync(cargo, 0o755);
  git("init", "--quiet");
  commit();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args) => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: folder });
const commit = () => git("commit", "--quiet", "--allow-empty", "--message", "x");

// What ran: `first+count` of each batch.
function soak(env = {}) {
  rmSync(join(folder, "runs"), { force: true });
  const PATH = `${join(folder, "bin")}${delimiter}${process.env.PATH}`;
  const { status, stderr } = spawnSync(SCRIPT, { cwd: folder, env: { PATH, SCHEDULES: "25000", KILLS: "0", FAIL_AT: "none", ...env }, encoding: "utf8" });
  const runs = existsSync(join(folder, "runs")) ? readFileSync(join(folder, "runs"), "utf8").split("\n").slice(0, -1) : [];
  return { status, stderr, runs };
}

const ALL = ["0+10000", "10000+10000", "20000+5000"];

test("after one that came to its end the next runs everything again", () => {
  for (const _ of [1, 2]) assert.deepEqual(soak(), { status: 0, stderr: "", runs: ALL });
});

test("one that was stopped goes on where it stopped", () => {
  assert.deepEqual(soak({ FAIL_AT: "10000" }), { status: 1, stderr: "", runs: ALL.slice(0, 2) });
  assert.deepEqual(soak(), { status: 0, stderr: "", runs: ALL.slice(1) });
  assert.deepEqual(soak().runs, ALL);
});

test("what ran of another commit does not count", () => {
  soak({ FAIL_AT: "10000" });
  commit();
  assert.deepEqual(soak().runs, ALL);
});

test("from a seed that is given", () => {
  soak({ FAIL_AT: "10000" });
  assert.deepEqual(soak({ FIRST: "0" }).runs, ALL);
  assert.deepEqual(soak({ FIRST: "20000" }).runs, ALL.slice(2));
});
