-- Our own error and the error with the partner's word, each with the variance to expect of it.
-- grain: series_no, cell_no
-- reads: int_cell_free_of_known
-- range: z and v are null before a cell can be scored: 6 degrees of freedom must be left in the
--        frame; where the partner's word holds no news, both sides are the same
with
freed as (
    select
        * rename (c_yy as ee, c_yf as ex, c_ff as xx),
        -- Nothing is left of what repeats Z, or of what never varies: no figure is due to it.
        c_ff > 1e-6 * f_varied and f_varied > 1e-10 * s_ff as has_news,
        c_yy > 1e-10 * y_varied and y_varied > 1e-10 * s_yy as has_error
    from int_cell_free_of_known
),

ready as (
    select
        *,
        status = 'arrived' and e is not null and x is not null and n - rank - 1 >= 6 as is_scored,
        coalesce(has_news and has_error, false) as is_news
    from freed
),

learned as (
    select
        *,
        case when is_news then ex / xx * n / (n + 2) else 0 end as slope
    from ready
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
    n,
    is_scored,
    is_news,
    case when is_scored then e end as z0,
    case when is_scored then e - slope * x end as z1,
    case when is_scored then ee / (n - rank) end as v0,
    case
        when is_scored and is_news
            then greatest(ee - 2 * slope * ex + slope * slope * xx, 0) / (n - rank - 1)
        when is_scored then ee / (n - rank)
    end as v1,
    1 + leverage as widen0,
    1 + leverage + case when is_news then x * x / xx else 0 end as widen1
from learned
