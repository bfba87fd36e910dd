-- What a cell was told in the columns that come before its own and speak of the same outcome.
-- grain: series_no, period_start, cell_id
-- reads: int_measured_column, int_stated_cell
-- range: only columns with others before them; null where nothing came in time, as many values for
--        every cell of a column. Of another kind it is what was told of the outcome in all series
with
ordered as (
    select
        later.column_no,
        earlier.column_no as earlier_column_no,
        earlier.place,
        later.kind <> earlier.kind as is_other_kind
    from int_measured_column as later
    inner join int_measured_column as earlier
        on
            later.partner = earlier.partner
            and later.direction = earlier.direction
            and later.outcome = earlier.outcome
            and later.place > earlier.place
),

asked as (
    select
        cell.series_no,
        cell.period_start,
        cell.cell_id,
        ordered.is_other_kind,
        case when ordered.is_other_kind then cell.outcome_no else cell.subject_no end as about_no,
        ordered.earlier_column_no,
        ordered.place
    from int_stated_cell as cell
    inner join ordered using (column_no)
),

told as (
    select
        false as is_other_kind,
        cell.subject_no as about_no,
        cell.column_no,
        cell.period_start,
        cell.cell_id,
        cell.f
    from int_stated_cell as cell
    semi join ordered
        on cell.column_no = ordered.earlier_column_no and not ordered.is_other_kind
    where cell.status = 'arrived'
    union all
    select
        true as is_other_kind,
        cell.outcome_no as about_no,
        cell.column_no,
        cell.period_start,
        '' as cell_id,
        sum(cell.f) as f
    from int_stated_cell as cell
    semi join ordered on cell.column_no = ordered.earlier_column_no and ordered.is_other_kind
    where cell.status = 'arrived'
    group by cell.outcome_no, cell.column_no, cell.period_start
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
            asked.is_other_kind = told.is_other_kind
            and asked.about_no = told.about_no
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
