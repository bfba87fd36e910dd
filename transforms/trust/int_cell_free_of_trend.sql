-- One step of elimination: y, f and the rest of Z without what the trend says of them.
-- grain: series_no, cell_no
-- reads: int_cell_free_of_season
-- range: as int_cell_free_of_season; a regressor that does not vary,
--        or that those before it explain, is
--        left out and not counted in rank
with
pivoted as (
    select
        *,
        case
            when c_cc > greatest(1e-10 * s_cc, 1e-8 * (s_cc - s_c * s_c / n))
                then 1 / c_cc
            else 0
        end as i
    from int_cell_free_of_season
)

select
    * exclude (i, c_cc, c_cd, c_cy, c_cf, s_c, s_cc, w_c) replace (
        c_dd - c_cd * c_cd * i as c_dd,
        c_dy - c_cd * c_cy * i as c_dy,
        c_df - c_cd * c_cf * i as c_df,
        c_yy - c_cy * c_cy * i as c_yy,
        c_yf - c_cy * c_cf * i as c_yf,
        c_ff - c_cf * c_cf * i as c_ff,
        w_d - c_cd * w_c * i as w_d,
        e - c_cy * w_c * i as e,
        x - c_cf * w_c * i as x,
        leverage + w_c * w_c * i as leverage,
        rank + (i > 0)::integer as rank
    )
from pivoted
