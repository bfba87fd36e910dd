-- Every due cell of every numeric column that has a witness; from here all kinds go one way.
-- grain: series_no, cell_no
-- reads: int_cell_before, int_public_known, int_stated_cell
-- range: cut-off passed by run.as_of; f is null where nothing came in time, y where not yet known;
--        a value beyond 1e15, or that is no number, counts as none
with
keyed as (
    select
        stated.*,
        -- Further columns of our baseline: public series, and what was told of this outcome in
        -- columns that come before this one.
        coalesce(public.known, []) as more,
        coalesce(before.told, []) as told_before
    from int_stated_cell as stated
    left join int_public_known as public using (cut_off_at, period_start)
    left join int_cell_before as before
        using (partner, direction, kind, column_name, series_id, period_start, cell_id)
)

select
    series_no,
    row_number() over (
        partition by series_no order by cut_off_at, period_start, cell_id
    ) as cell_no,
    column_no,
    partner,
    direction,
    kind,
    column_name,
    series_id,
    period_start,
    cell_id,
    agreement_id,
    cut_off_at,
    y_known_at,
    status,
    case when abs(f) <= 1e15 then f end as f,
    case when abs(y) <= 1e15 then y end as y,
    case when abs(last_known) <= 1e15 then last_known end as last_known,
    case when abs(before_known) <= 1e15 then before_known end as before_known,
    case when abs(known_already) <= 1e15 then known_already end as known_already,
    season,
    quantile_level,
    more,
    told_before
from keyed
order by series_no, cell_no
