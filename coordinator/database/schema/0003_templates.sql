-- Branding that users keep, and what an export's answer tells of its sound.

create table templates (
    id text primary key,
    user_id text not null check (user_id <> ''),
    version integer not null default 1 check (version > 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
create index templates_by_user on templates (user_id, updated_at desc, id desc)
    where deleted_at is null;

-- Never updated: an export names the version that it was made from.
create table template_versions (
    template_id text not null references templates on delete cascade,
    version integer not null check (version > 0),
    -- Name, description and branding (coordinator.api.templates.TemplateDocument).
    document jsonb not null,
    created_at timestamptz not null default now(),
    primary key (template_id, version)
);

alter table export_jobs
    -- Measured on the encoded sound; null for silence.
    add column audio_lufs double precision,
    add column audio_peak double precision;

-- The same preview is asked for again and again, by every page that shows it.
create index previews_by_content on previews (user_id, (spec ->> 'key'), created_at desc);
