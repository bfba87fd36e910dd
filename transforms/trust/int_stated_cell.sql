-- Due cells of all kinds, numeric columns: what was told of each and what came.
-- grain: partner, direction, kind, column_name, series_id, period_start, cell_id
-- reads: int_commitment_cell, int_financial_cell, int_forecast_cell, int_item_cell, int_service_cell
-- range: cut-off passed by run.as_of; f is null where nothing came in time, y where not yet known;
--        a value beyond 1e15, or that is no number, counts as none; numbers for names: what follows
--        sorts and groups by them. outcome_no is what cells of several kinds may speak of, an item in
--        a period, else of nothing
with
known as (
    select
        *,
        '' as cell_id
    from int_forecast_cell
    union all by name
    select * from int_commitment_cell
    union all by name
    select
        *,
        '' as cell_id
    from int_item_cell
    union all by name
    select
        *,
        '' as cell_id
    from int_service_cell
    union all by name
    select
        *,
        '' as cell_id
    from int_financial_cell
)

select
    * replace (
        case when abs(f) <= 1e15 then f end as f,
        case when abs(y) <= 1e15 then y end as y,
        case when abs(last_known) <= 1e15 then last_known end as last_known,
        case when abs(before_known) <= 1e15 then before_known end as before_known,
        case when abs(known_already) <= 1e15 then known_already end as known_already
    ),
    hash(partner, direction, kind, column_name, series_id) as series_no,
    hash(partner, direction, kind, series_id) as subject_no,
    hash(partner, direction, outcome_id) as outcome_no,
    hash(partner, direction, kind, column_name) as column_no
from known
