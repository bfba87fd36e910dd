-- Sums of squares and products about the frame's means, and this cell's distances from them.
-- grain: series_no, cell_no
-- reads: int_cell_moment
-- range: as int_cell_moment; null where the frame is empty. a: last value, b: season, c: trend,
--        d: known already; w_a to w_d are this cell's distances, e and x those of y and f
with
moment as (select * replace (nullif(n, 0) as n) from int_cell_moment)

select
    * exclude (
        y1, f1, z_last, z_season, z_trend, z_known, s_ab, s_ac, s_ad, s_ay, s_af, s_bc, s_bd,
        s_by, s_bf, s_cd, s_cy, s_cf, s_dy, s_df, s_yf
    ),
    z_last - s_a / n as w_a,
    z_season - s_b / n as w_b,
    z_trend - s_c / n as w_c,
    z_known - s_d / n as w_d,
    y1 - s_y / n as e,
    f1 - s_f / n as x,
    s_aa - s_a * s_a / n as c_aa,
    s_ab - s_a * s_b / n as c_ab,
    s_ac - s_a * s_c / n as c_ac,
    s_ad - s_a * s_d / n as c_ad,
    s_ay - s_a * s_y / n as c_ay,
    s_af - s_a * s_f / n as c_af,
    s_bb - s_b * s_b / n as c_bb,
    s_bc - s_b * s_c / n as c_bc,
    s_bd - s_b * s_d / n as c_bd,
    s_by - s_b * s_y / n as c_by,
    s_bf - s_b * s_f / n as c_bf,
    s_cc - s_c * s_c / n as c_cc,
    s_cd - s_c * s_d / n as c_cd,
    s_cy - s_c * s_y / n as c_cy,
    s_cf - s_c * s_f / n as c_cf,
    s_dd - s_d * s_d / n as c_dd,
    s_dy - s_d * s_y / n as c_dy,
    s_df - s_d * s_f / n as c_df,
    s_yy - s_y * s_y / n as c_yy,
    s_yf - s_y * s_f / n as c_yf,
    s_ff - s_f * s_f / n as c_ff,
    s_yy - s_y * s_y / n as y_varied,
    s_ff - s_f * s_f / n as f_varied,
    1 / n as leverage,
    1 as rank
from moment
