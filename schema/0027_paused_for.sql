-- Why tokens could not be renewed: whoever asks while the pause lasts is told the same.
alter table oauth_tokens add column failure text;
