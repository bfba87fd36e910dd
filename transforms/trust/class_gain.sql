-- Bits that each due cell of a column of classes told us (Krichevsky and Trofimov's estimator).
-- grain: series_no, cell_no
-- reads: class_cell, definition
-- range: as class_cell; counts over the last 52 due cells whose outcome was known at the cut-off; 0
--        where nothing was said by then, and before four cells were shared
--
-- log2((n_xy + 1/2) / (n_x + K/2)) - log2((n_y + 1/2) / (n + K/2)), with K classes of outcome: how
-- much likelier the outcome was to one who had seen the word than to one who had not. Counted are
-- cells in which we could tell as much ourselves as in this one: a word that says only what we had
-- then tells nothing.
with
outcome as (
    select
        series_no,
        y_known_at,
        arg_max(y_class, cell_no) as y_class
    from class_cell
    where y_class is not null
    group by series_no, y_known_at
),

cell as (
    select
        class_cell.*,
        definition.frame_cells,
        coalesce(class_cell.own_class, outcome.y_class, '') as told_by_ourselves
    from class_cell
    cross join definition
    asof left join outcome
        on
            class_cell.series_no = outcome.series_no
            and class_cell.cut_off_at >= outcome.y_known_at
),

pair as (
    select
        cell.series_no,
        cell.cell_no,
        before.told_by_ourselves = cell.told_by_ourselves as is_alike,
        before.f_class = cell.f_class as is_same_word,
        before.y_class = cell.y_class as is_same_outcome
    from cell
    inner join cell as before
        on
            cell.series_no = before.series_no
            and cell.cell_no > before.cell_no
            and cell.cell_no <= before.cell_no + cell.frame_cells
            and cell.cut_off_at >= before.y_known_at
    where before.y_class is not null and before.f_class is not null
),

counted as (
    select
        series_no,
        cell_no,
        count(*) as shared,
        count(*) filter (where is_alike) as n,
        count(*) filter (where is_alike and is_same_outcome) as n_y,
        count(*) filter (where is_alike and is_same_word) as n_x,
        count(*) filter (where is_alike and is_same_word and is_same_outcome) as n_xy
    from pair
    group by series_no, cell_no
)

select
    cell.series_no,
    cell.cell_no,
    cell.column_no,
    case when cell.y_class is not null then cell.y_known_at end as counted_at,
    case
        when cell.f_class is not null and counted.shared >= 4
            then
                log2((counted.n_xy + 0.5) / (counted.n_x + cell.classes / 2))
                - log2((counted.n_y + 0.5) / (counted.n + cell.classes / 2))
        else 0
    end as bits,
    coalesce(cell.f_class is not null and counted.shared >= 4, false) as is_scored
from cell
left join counted using (series_no, cell_no)
where cell.y_class is not null
order by cell.series_no, cell.cell_no
