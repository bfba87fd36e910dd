-- Sums and products over the frame: the last 52 due cells whose outcome was known at the cut-off.
-- grain: series_no, cell_no
-- reads: definition, int_cell_baseline
-- range: only cells that were shared in time, with outcome and Z known, enter the sums
with
baseline as (
    select
        cell.*,
        cell.known_lag + definition.frame_cells - 1 as oldest_lag
    from int_cell_baseline as cell
    cross join definition
),

usable as (
    select
        *,
        y1 is not null and f1 is not null and z_last is not null
        and z_season is not null as is_usable
    from baseline
),

entering as (
    select
        *,
        case when is_usable then z_last end as a,
        case when is_usable then z_season end as b,
        case when is_usable then z_trend end as c,
        case when is_usable then z_known end as d,
        case when is_usable then y1 end as y0,
        case when is_usable then f1 end as f0
    from usable
)

select
    * exclude (a, b, c, d, y0, f0, oldest_lag),
    count(a) over frame as n,
    sum(a) over frame as s_a,
    sum(b) over frame as s_b,
    sum(c) over frame as s_c,
    sum(d) over frame as s_d,
    sum(y0) over frame as s_y,
    sum(f0) over frame as s_f,
    sum(a * a) over frame as s_aa,
    sum(a * b) over frame as s_ab,
    sum(a * c) over frame as s_ac,
    sum(a * d) over frame as s_ad,
    sum(a * y0) over frame as s_ay,
    sum(a * f0) over frame as s_af,
    sum(b * b) over frame as s_bb,
    sum(b * c) over frame as s_bc,
    sum(b * d) over frame as s_bd,
    sum(b * y0) over frame as s_by,
    sum(b * f0) over frame as s_bf,
    sum(c * c) over frame as s_cc,
    sum(c * d) over frame as s_cd,
    sum(c * y0) over frame as s_cy,
    sum(c * f0) over frame as s_cf,
    sum(d * d) over frame as s_dd,
    sum(d * y0) over frame as s_dy,
    sum(d * f0) over frame as s_df,
    sum(y0 * y0) over frame as s_yy,
    sum(y0 * f0) over frame as s_yf,
    sum(f0 * f0) over frame as s_ff
from entering
window frame as (
    partition by series_no
    order by cell_no
    rows between oldest_lag preceding and known_lag preceding
)
