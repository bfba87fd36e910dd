-- Permitted columns that no figure speaks of yet, and why: shown as not measured, never as zero.
-- grain: partner, direction, kind, column_name
-- reads: int_measured_column, measured_by, stg_terms
-- range: all permitted columns but keys and measured ones
with
permitted as (
    select
        partner,
        direction,
        kind,
        column_name,
        arg_max(level, starts_at) as level,
        arg_max(witness, starts_at) as witness
    from stg_terms
    group by partner, direction, kind, column_name
),

measured as (select * from int_measured_column),

outcome as (
    select distinct
        split_part(witness, '.', 1) as kind,
        split_part(witness, '.', 2) as column_name
    from measured_by
)

select
    permitted.partner,
    permitted.direction,
    permitted.kind,
    permitted.column_name,
    permitted.level,
    permitted.witness,
    case
        when permitted.kind in ('order', 'delivery') or outcome.kind is not null
            then 'it is a witness itself'
        when permitted.kind = 'complaint' then 'counts in candour, when it is raised'
        when permitted.kind in ('design_idea', 'process_idea')
            then 'counts in ideas, when it is accepted'
        when permitted.kind = 'interaction' then 'shown beside the score, as time spent together'
        when permitted.witness is null then 'no outcome of ours speaks about it'
        else 'not measured yet'
    end as reason
from permitted
anti join measured using (partner, direction, kind, column_name)
left join outcome using (kind, column_name)
order by permitted.partner, permitted.direction, permitted.kind, permitted.column_name
