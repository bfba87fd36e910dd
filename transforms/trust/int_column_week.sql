-- What each column's cells came to in each week: the week in which their outcome became known.
-- grain: column_no, week_no
-- reads: cell_gain, class_cell, class_gain, int_stated_cell
-- range: weeks with at least one outcome; week_no counts Mondays from 1970-01-05; columns of classes
--        have no errors
with
outcome as (
    select
        column_no,
        status,
        y_known_at
    from int_stated_cell
    where y is not null
    union all
    select
        column_no,
        status,
        y_known_at
    from class_cell
    where y_class is not null
),

due as (
    select
        column_no,
        -- 1970-01-05 was a Monday, and a date is ten times as dear to come by.
        (epoch_us(y_known_at) - 345600000000) // 604800000000 as week_no,
        count(*) as due,
        count(*) filter (where status = 'arrived') as arrived,
        count(*) filter (where status = 'late') as late,
        count(*) filter (where status = 'missing') as missing
    from outcome
    group by column_no, week_no
),

gain as (
    select
        column_no,
        counted_at,
        bits,
        told_error,
        used_error,
        used_error is not null as is_scored
    from cell_gain
    where counted_at is not null
    union all by name
    select
        column_no,
        counted_at,
        bits,
        is_scored
    from class_gain
),

gained as (
    select
        column_no,
        (epoch_us(counted_at) - 345600000000) // 604800000000 as week_no,
        count(*) filter (where is_scored) as scored,
        sum(bits) as bits,
        coalesce(sum(told_error * told_error), 0) as told_square,
        coalesce(sum(used_error * used_error), 0) as used_square
    from gain
    group by column_no, week_no
)

select
    due.column_no,
    due.week_no,
    due.due,
    due.arrived,
    due.late,
    due.missing,
    gained.scored,
    gained.bits,
    gained.told_square,
    gained.used_square
from due
inner join gained using (column_no, week_no)
