// Figures from loads, and the page that tells them. Knows medians, budgets and Markdown; measures nothing.

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// From rounds of `{ keyfob, bare }`, each a line of wrk: medians, the ratio paired round by round.
export function figures(rounds) {
  const rate = ({ requests, microseconds }) => (requests / microseconds) * 1e6;
  const of = (worker) => ({
    rate: median(rounds.map((round) => rate(round[worker]))),
    p50: median(rounds.map((round) => round[worker].p50 / 1000)),
    p99: median(rounds.map((round) => round[worker].p99 / 1000)),
  });
  const ratios = rounds.map(({ keyfob, bare }) => rate(keyfob) / rate(bare));
  return { keyfob: of("keyfob"), bare: of("bare"), ratio: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
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
};

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const ms = (number) => number.toFixed(2);
const mark = (isMet) => (isMet ? "met" : "**missed**");

export function throughputTable(measured, budgets) {
  const head = ["operation", "Keyfob /s", "bare /s", "ratio (lowest to highest)", "budget", "", "p50 ms (bare)", "p99 ms (bare)"];
  const rows = Object.entries(measured).map(([name, { keyfob, bare, ratio, lowest, highest }]) => [
    TITLES[name],
    keyfob.rate.toFixed(0),
    bare.rate.toFixed(0),
    `${ratio.toFixed(2)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`,
    `≥ ${budgets[name].ratio}`,
    mark(ratio >= budgets[name].ratio),
    `${ms(keyfob.p50)} (${ms(bare.p50)})`,
    `${ms(keyfob.p99)} (${ms(bare.p99)})`,
  ]);
  return table(head, rows);
}

export function storageTable(small, large, budgets) {
  const head = ["operation", "D1 batches", "budget", "KV calls", "budget", "", "rows read at 1,000", "at 100,000", "budget", ""];
  const rows = Object.entries(small).map(([name, line]) => {
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

export function page({ date, machine, throughput, storage, bundle, rounds, seconds, threads }) {
  return `# Benchmarks

What Keyfob costs beside the same storage calls made by a bare Worker. Written by \`make bench\` on ${date}; single figures
vary twofold on a shared machine, so the ratio is what counts.

- Machine: ${machine}. Keyfob and the bare Worker each in a workerd of its own, loaded in turns.
- The bare Worker (\`scripts/bench/bare.mjs\`) is plain JavaScript. It makes the same D1 batches (the same SQL, recorded from
  Keyfob), the same KV calls, and answers with as many bytes; it checks, decrypts and formats nothing, and logs nothing.
- Load: wrk on Miniflare's direct socket, ${threads} connections, ${seconds} s a run, ${rounds} rounds, Keyfob and bare after
  each other in each round. Ratios are of the two runs of a round; the table has their median.

## Throughput

${throughput}

## Storage calls and rows read

Counted by D1, from Keyfob's log lines. \`create\` and \`update\` without the test at the provider.

${storage}

## Bundle

${bundle.kib} KiB gzip as \`wrangler deploy --dry-run\` reports it; budget ≤ ${bundle.budget} KiB: ${mark(bundle.kib <= bundle.budget)}.
`;
}
