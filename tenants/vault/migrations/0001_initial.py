import django.core.validators
import switchboard.kernel.encryption
import switchboard.kernel.ids
from django.db import migrations, models

from tenants.audit.triggers import audited


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.UUIDField(default=switchboard.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, unique=True, validators=[django.core.validators.RegexValidator('^[a-z][a-z0-9_.-]{0,79}\\Z', 'Use 1 to 80 lower-case letters, digits, dots, - and _, beginning with a letter.')])),
                ('kind', models.CharField(choices=[('provider_key', "Provider's key"), ('webhook', 'Webhook secret'), ('sip_password', 'SIP password'), ('other', 'Other')], default='other', max_length=12)),
                ('value', switchboard.kernel.encryption.EncryptedTextField()),
                ('description', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        audited("vault_secret", entity="secret", label="name", hidden=("value",), ignored=("updated_at",)),
    ]
