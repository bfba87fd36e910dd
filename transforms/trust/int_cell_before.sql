-- What a cell was told in the columns that come before its own and speak of the same outcome.
-- grain: series_no, period_start, cell_id
-- reads: int_measured_column, int_stated_cell
-- range: only columns with others before them; null where nothing came in time, as many values for
--        every cell of a column
with
ordered as (
    select
        later.column_no,
        earlier.column_no as earlier_column_no,
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

asked as (
    select
        cell.series_no,
        cell.period_start,
        cell.cell_id,
        cell.subject_no,
        ordered.earlier_column_no,
        ordered.place
    from int_stated_cell as cell
    inner join ordered using (column_no)
),

told as (
    select
        cell.subject_no,
        cell.column_no,
        cell.period_start,
        cell.cell_id,
        cell.f
    from int_stated_cell as cell
    semi join ordered on cell.column_no = ordered.earlier_column_no
    where cell.status = 'arrived'
),

-- A list put in order costs a fifth of one that is filled in order.
placed as (
    select
        asked.series_no,
        asked.period_start,
        asked.cell_id,
        list_sort(list((asked.place, told.f))) as told
    from asked
    left join told
        on
            asked.subject_no = told.subject_no
            and asked.earlier_column_no = told.column_no
            and asked.period_start = told.period_start
            and asked.cell_id = told.cell_id
    group by asked.series_no, asked.period_start, asked.cell_id
)

select
    series_no,
    period_start,
    cell_id,
    list_transform(told, lambda pair: pair[2]) as told
from placed
