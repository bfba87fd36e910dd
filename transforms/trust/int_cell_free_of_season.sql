-- One step of elimination: y, f and the rest of Z without what the season's value says of them.
-- grain: series_no, cell_no
-- reads: int_cell_free_of_last
-- range: as int_cell_free_of_last; a regressor that does not vary,
--        or that those before it explain, is
--        left out and not counted in rank
with
pivoted as (
    select
        *,
        case
            when c_bb > greatest(1e-10 * s_bb, 1e-8 * (s_bb - s_b * s_b / n))
                then 1 / c_bb
            else 0
        end as i
    from int_cell_free_of_last
)

select
    * exclude (i, c_bb, c_bc, c_bd, c_by, c_bf, s_b, s_bb, w_b) replace (
        c_cc - c_bc * c_bc * i as c_cc,
        c_cd - c_bc * c_bd * i as c_cd,
        c_cy - c_bc * c_by * i as c_cy,
        c_cf - c_bc * c_bf * i as c_cf,
        c_dd - c_bd * c_bd * i as c_dd,
        c_dy - c_bd * c_by * i as c_dy,
        c_df - c_bd * c_bf * i as c_df,
        c_yy - c_by * c_by * i as c_yy,
        c_yf - c_by * c_bf * i as c_yf,
        c_ff - c_bf * c_bf * i as c_ff,
        w_c - c_bc * w_b * i as w_c,
        w_d - c_bd * w_b * i as w_d,
        e - c_by * w_b * i as e,
        x - c_bf * w_b * i as x,
        leverage + w_b * w_b * i as leverage,
        rank + (i > 0)::integer as rank
    )
from pivoted
