-- An endpoint that answers with Retry-After asks for a pause of everything, not of one message.
alter table webhooks add column paused_until integer;
