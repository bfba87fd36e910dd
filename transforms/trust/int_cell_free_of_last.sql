-- One step of elimination: y, f and the rest of Z without what the last value says of them.
-- grain: series_no, cell_no
-- reads: int_cell_centred
-- range: as int_cell_centred; a regressor that does not vary is left out and not counted in rank
with
pivoted as (
    select
        *,
        case when c_aa > 1e-10 * s_aa then 1 / c_aa else 0 end as i
    from int_cell_centred
)

select
    * exclude (i, c_aa, c_ab, c_ac, c_ad, c_ay, c_af, s_a, s_aa, w_a) replace (
        c_bb - c_ab * c_ab * i as c_bb,
        c_bc - c_ab * c_ac * i as c_bc,
        c_bd - c_ab * c_ad * i as c_bd,
        c_by - c_ab * c_ay * i as c_by,
        c_bf - c_ab * c_af * i as c_bf,
        c_cc - c_ac * c_ac * i as c_cc,
        c_cd - c_ac * c_ad * i as c_cd,
        c_cy - c_ac * c_ay * i as c_cy,
        c_cf - c_ac * c_af * i as c_cf,
        c_dd - c_ad * c_ad * i as c_dd,
        c_dy - c_ad * c_ay * i as c_dy,
        c_df - c_ad * c_af * i as c_df,
        c_yy - c_ay * c_ay * i as c_yy,
        c_yf - c_ay * c_af * i as c_yf,
        c_ff - c_af * c_af * i as c_ff,
        w_b - c_ab * w_a * i as w_b,
        w_c - c_ac * w_a * i as w_c,
        w_d - c_ad * w_a * i as w_d,
        e - c_ay * w_a * i as e,
        x - c_af * w_a * i as x,
        leverage + w_a * w_a * i as leverage,
        rank + (i > 0)::integer as rank
    )
from pivoted
