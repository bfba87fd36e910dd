-- Every due cell of every numeric column that has a witness; from here all kinds go one way.
-- grain: series_no, period_start, cell_id
-- reads: int_cell_before, int_public_known, int_stated_cell
-- range: as int_stated_cell, in no order; more are public series, told_before what was told of this
--        outcome in columns that come before this one, each null where there are none
select
    stated.series_no,
    stated.column_no,
    stated.partner,
    stated.direction,
    stated.kind,
    stated.column_name,
    stated.series_id,
    stated.period_start,
    stated.cell_id,
    stated.agreement_id,
    stated.cut_off_at,
    stated.y_known_at,
    stated.status,
    stated.f,
    stated.y,
    stated.last_known,
    stated.before_known,
    stated.known_already,
    stated.season,
    stated.quantile_level,
    public.known as more,
    before.told as told_before
from int_stated_cell as stated
left join int_public_known as public using (cut_off_at, period_start)
left join int_cell_before as before using (series_no, period_start, cell_id)
