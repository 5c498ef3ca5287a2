import django.contrib.postgres.fields
import switchboard.kernel.ids
import tenants.tokens.models
from django.db import migrations, models

from tenants.audit.triggers import audited


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='TokenIssuer',
            fields=[
                ('id', models.UUIDField(default=switchboard.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('issuer', models.CharField(help_text='The `iss` of its tokens, to the letter.', max_length=300, unique=True)),
                ('jwks_url', models.CharField(help_text='Where its public keys are.', max_length=500)),
                ('audience', models.CharField(help_text='What its tokens say whom they are for.', max_length=300)),
                ('audience_claim', models.CharField(choices=[('aud', 'Aud'), ('client_id', 'Client Id')], default='aud', max_length=12)),
                ('algorithms', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=8), default=tenants.tokens.models.all_algorithms, size=None)),
                ('contact_claim', models.CharField(default='sub', help_text='The claim that names the contact.', max_length=80)),
                ('contact_prefix', models.CharField(blank=True, help_text="Put before the contact's name, so that two issuers never name the same.", max_length=40)),
                ('session_claim', models.CharField(blank=True, max_length=80)),
                ('tenant_claim', models.CharField(blank=True, help_text='A claim that must hold `tenant_value`, such as `custom:tenant`.', max_length=80)),
                ('tenant_value', models.CharField(blank=True, max_length=200)),
                ('groups_claim', models.CharField(blank=True, help_text='A claim with a list that must hold `required_group`: `cognito:groups`.', max_length=80)),
                ('required_group', models.CharField(blank=True, max_length=200)),
                ('enabled', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'token issuer',
                'ordering': ['name'],
            },
        ),
        audited("tokens_tokenissuer", entity="token_issuer", label="name", ignored=("updated_at",)),
    ]
