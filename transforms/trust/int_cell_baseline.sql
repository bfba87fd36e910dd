-- What we had without the partner, Z: last value, seasonal value, trend, and what we knew already.
-- grain: series_no, cell_no
-- reads: int_cell_known
-- range: as int_cell_known; counted from each series' first values, which changes no result (all
--        fits have a constant), keeps digits, and stays the same when time goes on
with
started as (
    select
        *,
        first_value(y ignore nulls) over whole as y_first,
        first_value(f ignore nulls) over whole as f_first,
        first_value(known_already ignore nulls) over whole as known_first
    from int_cell_known
    window whole as (
        partition by series_no
        order by cell_no
        rows between unbounded preceding and unbounded following
    )
),

counted as (
    select
        *,
        y - y_first as y1,
        f - f_first as f1,
        last_known - y_first as last1,
        known_already - known_first as known1
    from started
),

remembered as (
    select
        *,
        lag(y1, known_lag) over past as last_settled,
        -- The season's value only where it lies a season back and was known at the cut-off.
        case
            when season >= known_lag and season > 0 then lag(y1, season) over past
        end as season1,
        avg(y1) over (past rows between unbounded preceding and known_lag preceding) as mean1
    from counted
    window past as (partition by series_no order by cell_no)
)

select
    series_no,
    cell_no,
    column_no,
    status,
    y_known_at,
    known_lag,
    y,
    f,
    y1,
    f1,
    coalesce(last1, last_settled, mean1) as z_last,
    coalesce(season1, mean1) as z_season,
    cell_no / 52 as z_trend,
    coalesce(known1, 0) as z_known
from remembered
