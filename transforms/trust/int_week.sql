-- The weeks of each direction, from the start of its first terms to run.as_of, none left out.
-- grain: partner, direction, week_no
-- reads: run, stg_terms
-- range: week is a Monday; figures of a week are as known at its end (of the last: at run.as_of)
with
asked as (select as_of from run),

started as (
    select
        partner,
        direction,
        min(starts_at) as starts_at
    from stg_terms
    group by partner, direction
),

numbered as (
    select
        started.partner,
        started.direction,
        unnest(
            range(
                date_diff('week', date '1970-01-05', started.starts_at::date),
                date_diff('week', date '1970-01-05', asked.as_of::date) + 1
            )
        ) as week_no
    from started
    cross join asked
    where started.starts_at <= asked.as_of
)

select
    partner,
    direction,
    week_no,
    date '1970-01-05' + 7 * week_no::integer as week
from numbered
