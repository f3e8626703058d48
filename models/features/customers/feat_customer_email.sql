-- Rates are shrunk toward those of all customers of the date, as if everybody had got this many mails more.
{% set prior_mails = 5 %}

with computed as (
    select
        *,
        coalesce(cast(sum(mail_opened_count) over of_date as double) / nullif(sum(mail_sent_count) over of_date, 0), 0)
            as mean_open_rate,
        coalesce(cast(sum(mail_clicked_count) over of_date as double) / nullif(sum(mail_sent_count) over of_date, 0), 0)
            as mean_click_rate
    from {{ ref('int_features__email').include(database=false) }}
    window of_date as (partition by as_of_date)
),

history as (
    select * from {{ ref('int_as_of_history').include(database=false) }}
    where source = 'mail'
)

select
    -- keys
    computed.customer_id,
    computed.as_of_date,
    computed.identity_basis,
    -- time
    computed.days_since_last_mail,
    computed.days_since_last_mail_opened,
    -- counts
    computed.mail_sent_count,
    computed.mail_opened_count,
    computed.mail_machine_opened_count,
    computed.mail_clicked_count,
    {{ windowed('mail_sent_count', 90) }},
    {{ windowed('mail_opened_count', 90) }},
    {{ windowed('mail_clicked_count', 90) }},
    computed.mail_unsubscribed_count > 0 as has_unsubscribed,
    -- rates
    (computed.mail_opened_count + {{ prior_mails }} * computed.mean_open_rate)
    / (computed.mail_sent_count + {{ prior_mails }}) as mail_open_rate,
    (computed.mail_clicked_count + {{ prior_mails }} * computed.mean_click_rate)
    / (computed.mail_sent_count + {{ prior_mails }}) as mail_click_rate
from computed
inner join history on computed.as_of_date = history.as_of_date
