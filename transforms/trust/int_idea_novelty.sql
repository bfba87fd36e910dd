-- How much of an idea's text had not been said before, by the partner or by us.
-- grain: partner, direction, idea_id
-- reads: landed.design_idea, own.design_idea, run
-- range: share of runs of three words that first stand here, from 0 to 1; null without a text
with
asked as (select as_of from run),

said as (
    select
        landed.partner,
        landed.idea_id,
        true as is_theirs,
        concat_ws(' ', landed.title, landed.text) as words,
        landed.arrived_at
    from landed.design_idea as landed
    cross join asked
    where landed.arrived_at <= asked.as_of
    union all
    select
        own.partner,
        own.idea_id,
        false as is_theirs,
        concat_ws(' ', own.title, own.text) as words,
        own.arrived_at
    from own.design_idea as own
    cross join asked
    where own.arrived_at <= asked.as_of
),

first_said as (
    select
        partner,
        idea_id,
        is_theirs,
        min(arrived_at) as said_at,
        string_split_regex(
            trim(lower(regexp_replace(arg_min(words, arrived_at), '[^\pL\pN]+', ' ', 'g'))), ' '
        ) as words
    from said
    group by partner, idea_id, is_theirs
),

shingled as (
    select
        partner,
        idea_id,
        is_theirs,
        said_at,
        unnest(
            list_distinct(
                list_transform(
                    range(greatest(len(words) - 2, 1)),
                    lambda place: array_to_string(words[place + 1:place + 3], ' ')
                )
            )
        ) as shingle
    from first_said
),

found as (
    select
        partner,
        idea_id,
        is_theirs,
        shingle,
        row_number() over (
            partition by partner, shingle order by said_at, is_theirs, idea_id
        ) = 1 as is_first
    from shingled
    where shingle <> ''
)

select
    partner,
    'in' as direction,
    idea_id,
    avg(is_first::integer) as novelty
from found
where is_theirs
group by partner, idea_id
