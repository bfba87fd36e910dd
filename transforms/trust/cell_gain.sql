-- Bits that each due cell told us beyond what we knew; 0 for what is missing, late or no news.
-- grain: series_no, cell_no
-- reads: definition, int_cell_error
-- range: as int_cell; told_error and used_error are null unless the cell could be scored
with
error as (select * from int_cell_error),

long_run as (
    select
        *,
        avg(z0 * z0 / widen0) over past as all0,
        avg(z1 * z1 / widen1) over past as all1
    from error
    window past as (
        partition by series_no
        order by cell_no
        rows between unbounded preceding and known_lag preceding
    )
),

expected as (
    select
        long_run.*,
        definition.degrees_of_freedom as nu,
        (n * v0 + 2 * coalesce(all0, v0)) / (n + 2) * widen0 as w0,
        (n * v1 + 2 * coalesce(all1, v1)) / (n + 2) * widen1 as w1
    from long_run
    cross join definition
)

select
    series_no,
    cell_no,
    column_no,
    status,
    y_known_at as counted_at,
    y,
    f,
    n,
    case
        when is_scored and is_news and w0 > 0 and w1 > 0
            then
                -0.5 * log2(w1 / w0)
                - (nu + 1) / 2 * (log2(1 + z1 * z1 / (nu * w1)) - log2(1 + z0 * z0 / (nu * w0)))
        else 0
    end as bits,
    case when is_scored then y - f end as told_error,
    z1 as used_error
from expected
order by series_no, cell_no
