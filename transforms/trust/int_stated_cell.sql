-- Due cells of all kinds, numeric columns: what was told of each and what came.
-- grain: partner, direction, kind, column_name, series_id, period_start, cell_id
-- reads: int_commitment_cell, int_financial_cell, int_forecast_cell, int_item_cell, int_service_cell
-- range: cut-off passed by run.as_of; numbers for names: what follows sorts and groups by them
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
    *,
    hash(partner, direction, kind, column_name, series_id) as series_no,
    hash(partner, direction, kind, column_name) as column_no
from known
