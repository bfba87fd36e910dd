-- What public series said at a cut-off: of the period itself or the newest before it, and before that.
-- grain: cut_off_at, period_start
-- reads: int_stated_cell, stg_public_index
-- range: distinct cut-offs and periods of due cells; two values a series, null where there is none
with
asked as (
    select distinct
        cut_off_at,
        period_start
    from int_stated_cell
),

series as (select distinct series from stg_public_index),

said as (
    select
        asked.cut_off_at,
        asked.period_start,
        index.series,
        index.period_start as of_period,
        arg_max(index.value, index.published_at) as value
    from asked
    inner join stg_public_index as index
        on
            asked.cut_off_at >= index.published_at
            and asked.period_start >= index.period_start::timestamptz
            -- Older than a year it is not news of this period, and need not be looked at.
            and asked.period_start <= index.period_start::timestamptz + interval 400 day
    group by asked.cut_off_at, asked.period_start, index.series, of_period
),

newest as (
    select
        cut_off_at,
        period_start,
        series,
        max_by(value, of_period, 2) as two
    from said
    group by cut_off_at, period_start, series
)

select
    asked.cut_off_at,
    asked.period_start,
    flatten(list([newest.two[1], newest.two[2]] order by series.series)) as known
from asked
cross join series
left join newest using (cut_off_at, period_start, series)
group by asked.cut_off_at, asked.period_start
