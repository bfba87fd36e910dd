-- What each column's cells came to in each week: the week in which their outcome became known.
-- grain: column_no, week_no
-- reads: cell_gain
-- range: weeks with at least one outcome; week_no counts Mondays from 1970-01-05
with
counted as (
    select
        *,
        date_diff('week', date '1970-01-05', counted_at::date) as week_no
    from cell_gain
    where y is not null
)

select
    column_no,
    week_no,
    count(*) as due,
    count(*) filter (where status = 'arrived') as arrived,
    count(*) filter (where status = 'late') as late,
    count(*) filter (where status = 'missing') as missing,
    count(used_error) as scored,
    sum(bits) as bits,
    coalesce(sum(told_error * told_error), 0) as told_square,
    coalesce(sum(used_error * used_error), 0) as used_square
from counted
group by column_no, week_no
