-- Videos, which backgrounds are made of.

-- Assets are written anew, which in a large table takes its time.
set local statement_timeout = 0;

-- A value that is added to a type cannot be used in the same transaction: the type is made anew.
-- What is made from its values, a constraint and an index, PostgreSQL makes anew with the column.
alter type asset_kind rename to asset_kind_0001;
create type asset_kind as enum ('midi', 'audio', 'image', 'font', 'soundfont', 'video');
alter table assets alter column kind type asset_kind using kind::text::asset_kind;
drop type asset_kind_0001;
