// Figures from loads, and the page that tells them. Knows medians, budgets and Markdown; measures nothing.
import { readFile, writeFile } from "node:fs/promises";

const PAGE = "docs/benchmarks.md";

// Writes one section of the page, between its two marks; the others stay as they are.
export async function write(section, text) {
  const page = await readFile(PAGE, "utf8");
  const [from, to] = [`<!-- ${section} -->\n`, `<!-- /${section} -->`];
  const date = new Date().toISOString().slice(0, 10);
  const [before, rest] = page.split(from);
  await writeFile(PAGE, `${before}${from}\n${text.replace("DATE", date)}\n${to}${rest.split(to)[1]}`);
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// From rounds of `{ keyfob, bare, logging }`, each a line of wrk: medians, the ratios paired round by round.
export function figures(rounds) {
  const rate = ({ requests, microseconds }) => (requests / microseconds) * 1e6;
  const of = (worker) => ({
    rate: median(rounds.map((round) => rate(round[worker]))),
    p50: median(rounds.map((round) => round[worker].p50 / 1000)),
    p99: median(rounds.map((round) => round[worker].p99 / 1000)),
  });
  const ratios = rounds.map(({ keyfob, bare }) => rate(keyfob) / rate(bare));
  const besideLogging = median(rounds.map(({ keyfob, logging }) => rate(keyfob) / rate(logging)));
  return { keyfob: of("keyfob"), bare: of("bare"), ratio: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios), besideLogging };
}

const TITLES = {
  list: "list, 50 of 1,000",
  list_large: "list, 50 of 100,000",
  facets: "facets",
  embedded: "embedded list, 50 of 1,000",
  embedded_large: "embedded list, 50 of 100,000",
  resolve: "resolve credentials",
  update: "update of a secret",
  create: "create",
  search: "search for a rare word",
  common_word: "search for a word of every connection",
};

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

// The slope of the line through the points (least squares).
export function growth(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (term) => points.reduce((total, point) => total + term(point), 0);
  return sum(([px, py]) => (px - x) * (py - y)) / sum(([px]) => (px - x) ** 2);
}

// The section of the soak: what the isolate held in the course of it.
export function memorySection({ minutes, machine, samples, sums, requests, perThousand, most }) {
  const at = (share) => samples[Math.min(samples.length - 1, Math.floor(share * samples.length))];
  const points = [0, 0.25, 0.5, 0.75, 1].map(at);
  const mib = (kib) => (kib / 1024).toFixed(1);
  const line = (title, key) => [title, ...points.map((point) => mib(point[key])), `${perThousand[key].toFixed(2)} KiB`];
  return `Written by \`make soak-memory\` on DATE. ${machine}, 8 connections, ${minutes} minutes, ${requests.toLocaleString("en")} requests, every answer
a success: ${Object.entries(sums).map(([name, count]) => `${name} ${count.toLocaleString("en")}`).join(", ")}. The heap is that of Keyfob's isolate
after a collection; the process is all of workerd, with the isolates of D1 and KV and their caches, which are not Keyfob's.

${table(["MiB", "at first", "a quarter", "half", "three quarters", "at last", "growth a thousand requests"], [line("heap of the isolate", "heap"), line("its wasm memory", "wasm"), line("process", "resident")])}

Growth is the slope from a quarter of the time on; bound for heap and wasm memory: ${most} KiB a thousand requests,
${mark(Math.max(perThousand.heap, perThousand.wasm) <= most)}.
`;
}

const SIZES = (sizes) => sizes.map((size) => size.toLocaleString("en"));

// From sizes, and for each operation the medians at each size with its growth, paired round by round.
export function scaleSection({ machine, sizes, operations, rounds, seconds, bytes }) {
  const cells = (name, each) => [TITLES[name].split(",")[0], ...sizes.map((_, at) => each(operations[name], at))];
  const names = Object.keys(operations);
  const rows = table(["rows read", ...SIZES(sizes)], names.map((name) => cells(name, ({ rows_read }, at) => rows_read[at])));
  const p50 = table(
    ["p50 in ms", ...SIZES(sizes), "growth", "bound", ""],
    names.map((name) => {
      const growth = operations[name].growth.at(-1);
      return [...cells(name, ({ p50 }, at) => ms(p50[at])), `${growth.toFixed(2)} ×`, "≤ 1.3 ×", mark(growth <= 1.3)];
    }),
  );
  const highest = Math.max(1.5, ...names.flatMap((name) => operations[name].growth)).toFixed(1);
  return `Written by \`make bench-scale\` on DATE. ${machine}. One workerd a size, all started, asked in turns: wrk with one connection,
${seconds} s a run, ${rounds} rounds. p50 is the median of the rounds; growth is that of the largest to the smallest in the same round, the
median of the rounds. A fifth of the connections are customers' own; without history they take ${bytes.toFixed(0)} bytes each on disk, indexes
included.

${rows}

${p50}

Growth of p50 from ${SIZES(sizes)[0]} on, a line an operation; the flat line at the top is the bound.

\`\`\`mermaid
xychart-beta
  x-axis "connections" [${SIZES(sizes).map((size) => `"${size}"`).join(", ")}]
  y-axis "p50, times that at ${SIZES(sizes)[0]}" 0 --> ${highest}
  line [${sizes.map(() => "1.3").join(", ")}]
${names.map((name) => `  line [${operations[name].growth.map((growth) => growth.toFixed(2)).join(", ")}]`).join("\n")}
\`\`\`
`;
}

const OF_TEMPLATES = {
  resolve: "resolve for one customer, by stable key",
  list: "list, 50 under the template",
  customers: "list of customers, 50",
  global_change: "change of a global value",
};

// From sizes, and for each operation the median and the last log line at each size.
export function templatesSection({ machine, sizes, operations, rounds, moved }) {
  const names = Object.keys(operations);
  const head = (what) => [what, ...SIZES(sizes).map((size) => `${size} customers`)];
  const cells = (each) => names.map((name) => [OF_TEMPLATES[name], ...sizes.map((_, at) => each(operations[name], at))]);
  return `Written by \`make bench-templates\` on DATE. ${machine}. One workerd a size, both started, asked one after the other: ${rounds} rounds of
each read, 20 of the change. ${SIZES(sizes).at(-1)} customers with a secret each moved in within ${moved.at(-1).toFixed(0)} s, 500 a request.

${table(head("p50 in ms"), cells(({ p50 }, at) => ms(p50[at])))}

${table(head("rows read"), cells(({ lines }, at) => lines[at].rows_read))}
`;
}

const ms = (number) => number.toFixed(2);
const mark = (isMet) => (isMet ? "met" : "**missed**");

export function throughputTable(measured, budgets) {
  const head = ["operation", "Keyfob /s", "bare /s", "ratio (lowest to highest)", "budget", "", "beside one that logs", "p50 ms (bare)", "p99 ms (bare)"];
  const rows = Object.entries(measured).map(([name, { keyfob, bare, ratio, lowest, highest, besideLogging }]) => [
    TITLES[name],
    keyfob.rate.toFixed(0),
    bare.rate.toFixed(0),
    `${ratio.toFixed(2)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`,
    `≥ ${budgets[name].ratio}`,
    mark(ratio >= budgets[name].ratio),
    besideLogging.toFixed(2),
    `${ms(keyfob.p50)} (${ms(bare.p50)})`,
    `${ms(keyfob.p99)} (${ms(bare.p99)})`,
  ]);
  return table(head, rows);
}

export function storageTable(small, large, budgets) {
  const head = ["operation", "D1 batches", "budget", "KV calls", "budget", "", "rows read at 1,000", "at 100,000", "budget", ""];
  const rows = Object.entries(small).filter(([name]) => name in budgets).map(([name, line]) => {
    const { batches, blobs, rows_read } = budgets[name];
    const isMet = line.database_calls <= batches && line.blob_calls <= blobs;
    const isRead = rows_read === undefined || Math.max(line.rows_read, large[name].rows_read) <= rows_read;
    return [
      TITLES[name].split(",")[0],
      line.database_calls,
      `≤ ${batches}`,
      line.blob_calls,
      `≤ ${blobs}`,
      mark(isMet),
      line.rows_read,
      large[name].rows_read,
      rows_read === undefined ? "none" : `≤ ${rows_read}`,
      rows_read === undefined ? "" : mark(isRead),
    ];
  });
  return table(head, rows);
}

// The section that compares with the bare Worker.
export function ratios({ machine, throughput, storage, bundle, rounds, seconds }) {
  return `Written by \`make bench\` on DATE; single figures vary twofold on a shared machine, so the ratio is what counts.

- Machine: ${machine}. Keyfob and the bare Workers each in a workerd of its own, loaded in turns.
- The bare Worker (\`scripts/bench/bare.mjs\`) is plain JavaScript. It makes the same D1 batches (the same SQL, recorded from
  Keyfob), the same KV calls, and answers with as many bytes; it checks, decrypts and formats nothing, and logs nothing.
- Beside one that logs: the same bare Worker, which also writes the line that Keyfob writes for each request. What is between the
  two ratios is what the platform takes for that line.
- Load: wrk on Miniflare's direct socket, 8 connections, ${seconds} s a run, ${rounds} rounds, all Workers after each other in
  each round. Ratios are of two runs of a round; the table has their median. What workerd writes to its log goes to
  /dev/null while it is under load: Miniflare would read and parse it on the same two cores, which no platform does.

### Throughput

${throughput}

### Storage calls and rows read

Counted by D1, from Keyfob's log lines. \`create\` and \`update\` without the test at the provider.

${storage}

### Bundle

${bundle.kib} KiB gzip as \`wrangler deploy --dry-run\` reports it; budget ≤ ${bundle.budget} KiB: ${mark(bundle.kib <= bundle.budget)}.
`;
}
