-- Trouble that the partner suffered from us, and whether it said so within four weeks.
-- grain: partner, direction, trouble, subject_id
-- reads: int_line_told
-- range: as int_line_told; told_anyway is the share of the lines that were fine, over the year before,
--        and complained of all the same: who complains of every line tells of no trouble
with
line as (
    select
        *,
        count(*) filter (where not is_trouble) over so_far as fine,
        count(*) filter (where not is_trouble and is_told) over so_far as fine_and_told
    from int_line_told
    window so_far as (
        partition by partner, direction, trouble
        order by counted_at
        range between interval 364 day preceding and current row
    )
)

select
    partner,
    direction,
    trouble,
    subject_id,
    counted_at,
    is_told,
    case when fine > 0 then fine_and_told / fine else 0 end as told_anyway
from line
where is_trouble
