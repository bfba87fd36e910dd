-- One step of elimination: y, f and the rest of Z without what the what we knew already says of them.
-- grain: series_no, cell_no
-- reads: int_cell_free_of_trend
-- range: as int_cell_free_of_trend; a regressor that does not vary,
--        or that those before it explain, is
--        left out and not counted in rank
with
pivoted as (
    select
        *,
        case
            when c_dd > greatest(1e-10 * s_dd, 1e-8 * (s_dd - s_d * s_d / n))
                then 1 / c_dd
            else 0
        end as i
    from int_cell_free_of_trend
)

select
    * exclude (i, c_dd, c_dy, c_df, s_d, s_dd, w_d) replace (
        c_yy - c_dy * c_dy * i as c_yy,
        c_yf - c_dy * c_df * i as c_yf,
        c_ff - c_df * c_df * i as c_ff,
        e - c_dy * w_d * i as e,
        x - c_df * w_d * i as x,
        leverage + w_d * w_d * i as leverage,
        rank + (i > 0)::integer as rank
    )
from pivoted
