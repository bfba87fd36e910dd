-- Columns that a partner may share with us, each with the time in which its terms are in force.
-- grain: partner, direction, kind, column_name, starts_at
-- reads: agreement_columns
-- range: all versions; a newer one ends the one before it, also in a column that it withholds; weight
--        is 1, 2, 4, 8 by classification
with
agreement as (select * from agreement_columns),

version as (
    select distinct
        partner,
        direction,
        kind,
        agreement_id,
        agreement_version,
        starts_at
    from agreement
),

followed as (
    select
        *,
        lead(starts_at) over (
            partition by partner, direction, kind order by starts_at, agreement_version
        ) as followed_at
    from version
)

select
    partner,
    direction,
    kind,
    column_name,
    starts_at,
    least(ends_at, followed_at) as ends_at,
    agreement_id,
    witness,
    classification as level,
    pow(2, classification - 1) as weight,
    cadence,
    case when cadence in ('day', 'month') then cadence else 'week' end as period,
    cut_off_hours
from agreement
inner join followed
    using (partner, direction, kind, agreement_id, agreement_version, starts_at)
where permitted and not is_key
