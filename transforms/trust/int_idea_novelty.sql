-- How much of an idea's text had not been said before, by the partner or by us.
-- grain: partner, direction, kind, idea_id
-- reads: landed.design_idea, landed.process_idea, own.design_idea, own.process_idea, run
-- range: share of runs of three words that first stand here, from 0 to 1; null without a text
with
asked as (select as_of from run),

stated as (
    select
        *,
        'design_idea' as kind,
        true as is_theirs
    from landed.design_idea
    union all by name
    select
        *,
        'process_idea' as kind,
        true as is_theirs
    from landed.process_idea
    union all by name
    select
        *,
        'design_idea' as kind,
        false as is_theirs
    from own.design_idea
    union all by name
    select
        *,
        'process_idea' as kind,
        false as is_theirs
    from own.process_idea
),

said as (
    select
        stated.partner,
        stated.kind,
        stated.idea_id,
        stated.is_theirs,
        concat_ws(' ', stated.title, stated.text) as words,
        stated.arrived_at
    from stated
    cross join asked
    where stated.arrived_at <= asked.as_of
),

first_said as (
    select
        partner,
        kind,
        idea_id,
        is_theirs,
        min(arrived_at) as said_at,
        string_split_regex(
            trim(lower(regexp_replace(arg_min(words, arrived_at), '[^\pL\pN]+', ' ', 'g'))), ' '
        ) as words
    from said
    group by partner, kind, idea_id, is_theirs
),

shingled as (
    select
        partner,
        kind,
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
        kind,
        idea_id,
        is_theirs,
        shingle,
        row_number() over (
            partition by partner, shingle order by said_at, is_theirs, kind, idea_id
        ) = 1 as is_first
    from shingled
    where shingle <> ''
)

select
    partner,
    'in' as direction,
    kind,
    idea_id,
    avg(is_first::integer) as novelty
from found
where is_theirs
group by partner, kind, idea_id
