-- What we had without the partner, Z: last value, seasonal value, trend, and what we knew already.
-- grain: series_no, cell_no
-- reads: int_cell_known
-- range: as int_cell_known; each in units of its own series (mean 0, spread 1), which changes no
--        result (all fits have a constant) and keeps the sums that follow small
with
scaled as (
    select
        *,
        avg(y) over whole as y_mean,
        stddev_pop(y) over whole as y_spread,
        avg(f) over whole as f_mean,
        stddev_pop(f) over whole as f_spread,
        avg(known_already) over whole as known_mean,
        stddev_pop(known_already) over whole as known_spread,
        count(*) over whole as cells
    from int_cell_known
    window whole as (partition by series_no)
),

own_units as (
    select
        * exclude (known_already),
        coalesce((y - y_mean) / nullif(y_spread, 0), y - y_mean) as y1,
        coalesce((last_known - y_mean) / nullif(y_spread, 0), last_known - y_mean) as last1,
        coalesce((f - f_mean) / nullif(f_spread, 0), f - f_mean) as f1,
        coalesce(
            (known_already - known_mean) / nullif(known_spread, 0), known_already - known_mean
        ) as known1
    from scaled
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
    from own_units
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
    coalesce(nullif(y_spread, 0), 1) as y_unit,
    coalesce(last1, last_settled, mean1) as z_last,
    coalesce(season1, mean1) as z_season,
    (cell_no - cells / 2) / 52 as z_trend,
    coalesce(known1, 0) as z_known
from remembered
