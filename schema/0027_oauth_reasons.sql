-- Why tokens could not be renewed: whoever asks while the pause lasts is told the same.
alter table oauth_tokens add column failure text;

-- An attempt that stores its tokens only where there are none yet: a designer's, who renews nothing that others rely on.
alter table authorizations add column first_only integer not null default 0;
