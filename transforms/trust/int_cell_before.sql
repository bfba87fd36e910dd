-- What a cell was told in the columns that come before its own and speak of the same outcome.
-- grain: partner, direction, kind, column_name, series_id, period_start, cell_id
-- reads: int_measured_column, int_stated_cell
-- range: only columns with others before them; null where nothing came in time, as many values for
--        every cell of a column
with
ordered as (
    select
        later.partner,
        later.direction,
        later.kind,
        later.column_name,
        earlier.column_name as earlier_name,
        earlier.place
    from int_measured_column as later
    inner join int_measured_column as earlier
        on
            later.partner = earlier.partner
            and later.direction = earlier.direction
            and later.kind = earlier.kind
            and later.witness = earlier.witness
            and later.place > earlier.place
),

cell as (select * from int_stated_cell)

select
    cell.partner,
    cell.direction,
    cell.kind,
    cell.column_name,
    cell.series_id,
    cell.period_start,
    cell.cell_id,
    list(case when earlier.status = 'arrived' then earlier.f end order by ordered.place) as told
from cell
inner join ordered using (partner, direction, kind, column_name)
left join cell as earlier
    on
        cell.partner = earlier.partner
        and cell.direction = earlier.direction
        and cell.kind = earlier.kind
        and cell.series_id = earlier.series_id
        and cell.period_start = earlier.period_start
        and cell.cell_id = earlier.cell_id
        and ordered.earlier_name = earlier.column_name
group by
    cell.partner, cell.direction, cell.kind, cell.column_name, cell.series_id, cell.period_start,
    cell.cell_id
