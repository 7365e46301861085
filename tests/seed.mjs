// Many connections at once, straight into D1: for tests and measurements that need thousands. Knows the columns; the
// connections have no secrets and no history.

const CHUNK = 1_000;

// The connection number `i`. Every filter has common values and rare ones; with `customers`, a fifth are customers' own: 40 of
// each customer, one of them under the template that is number 1.
export const INSERT = `
insert into connections (id, environment, provider, connection_type, kind, template_id, customer, supplied_by, name, name_key,
  description, stable_key, tags, settings, secret_fields, secrets_revision, enabled, embedded, version, revision, verdict,
  reason, checked_at, verdict_source, created_at, created_by, modified_at, modified_by, search_text, search_scope)
with recursive numbers(i) as (select cast(?1 as integer) union all select i + 1 from numbers where i < ?2),
drafts as (
  select i, ?3 and i % 5 = 4 as is_customers, (i * 7919) % 1000003 as shuffled, i % 10 as d from numbers
)
select
  printf('con_%026d', i),
  'development',
  case when d < 7 then 'http' when d < 9 then 'slack' else 'discord' end,
  case when d < 7 then 'bearer' when d < 9 then 'incoming_webhook' else 'webhook' end,
  case when is_customers then 'customer' when ?3 and i % 1000 = 1 then 'template' else 'organization' end,
  iif(is_customers and i % 200 = 4, printf('con_%026d', 1), null),
  iif(is_customers, 'customer-' || (i / 200), ''),
  iif(is_customers, 'customer', null),
  'Connection ' || shuffled || ' of team ' || (i % 40),
  'connection ' || shuffled || ' of team ' || (i % 40),
  'Made for measuring, number ' || i || '.',
  'connection-' || i,
  case when i % 2500 = 0 then json_array('common', 'rare') when i % 2 = 0 then json_array('common', 'team-' || (i % 40)) else '[]' end,
  iif(d < 7, '{"base_url":"https://api.example.com/v2","test_method":"GET","test_path":"/me","test_expect":"200-299"}', '{}'),
  iif(d < 7, '["token"]', '["webhook_url"]'),
  null,
  i % 20 <> 0,
  i % 5 = 0,
  1,
  1,
  case when i % 20 < 12 then 'valid' when i % 20 = 12 then 'limited' when i % 20 < 16 then 'invalid' else 'unknown' end,
  case when i % 20 < 12 then null when i % 20 = 12 then 'insufficient_scope' when i % 20 < 16 then 'rejected' else 'timeout' end,
  cast(?4 as integer) + i,
  'save',
  cast(?4 as integer) + i,
  '{"id":"key_root","name":"Root key","claimed":null}',
  cast(?4 as integer) + shuffled,
  '{"id":"key_root","name":"Root key","claimed":null}',
  'connection ' || shuffled || ' of team ' || (i % 40) || char(10) || 'made for measuring, number ' || i || '.',
  iif(is_customers, 'dec', 'deo')
from drafts`;

// The time that the connections are created after: a month ago.
export const since = () => Date.now() - 30 * 24 * 60 * 60 * 1000;

// Inserts the connections numbered `from` to `to`.
export async function seed(database, { from = 1, to, customers = false }) {
  const month = since();
  for (let first = from; first <= to; first += CHUNK) {
    const last = Math.min(first + CHUNK - 1, to);
    await database.prepare(INSERT).bind(first, last, customers ? 1 : 0, month).run();
  }
}
